// The German strings of the page layout around a post.

import type { Messages } from "./en.ts";
import { createFormats } from "./formats.ts";

const { date, count, decimal, list } = createFormats("de");

export const de: Messages = {
  skipToContent: "Zum Inhalt springen",
  mainNavigation: "Hauptmenü",
  moreNavigation: "Weitere Seiten",
  search: "Suche",
  logIn: "Anmelden",
  account: "Konto",
  pages: {
    "/blog": "Beiträge",
    "/calls": "Fragen",
    "/teams": "Teams",
    "/about": "Über",
    "/how-we-count": "Wie wir zählen",
    "/subscribe": "Abonnieren",
    "/contact": "Kontakt",
    "/privacy": "Datenschutz",
  },
  theme: "Farbschema",
  themes: { light: "Hell", dark: "Dunkel", system: "System" },
  copied: "Kopiert",
  copyFailed:
    "Das Kopieren hat nicht geklappt: Dein Browser lässt keinen Zugriff auf die Zwischenablage zu.",

  date,
  readingTime: (minutes) => `${minutes} Min. Lesezeit`,
  updated: "Aktualisiert am",
  draft: "Entwurf.",
  draftNotice: "Steht in keiner Liste, wird nicht gezählt und ändert sich wahrscheinlich noch.",
  archived: "Archiviert.",
  archivedNotice: "War bei der Veröffentlichung aktuell und wird nicht mehr gepflegt.",
  translations: "Übersetzungen:",
  addTranslation: "Übersetzung hinzufügen",
  by: "von",
  byAuthor: "Von",
  contents: "Inhalt",
  seriesPart: (number, total) => `Teil ${number} von ${total}`,
  seriesParts: "Teile dieser Serie",
  series: "Serie",
  previousPart: "Vorheriger Teil",
  nextPart: "Nächster Teil",
  previousPost: "Vorheriger Beitrag",
  nextPost: "Nächster Beitrag",
  otherPosts: "Vorheriger und nächster Beitrag",

  saveForLater: "Für später speichern",
  saved: "Gespeichert",
  pressToRemove: "(zum Entfernen drücken)",
  savedStatus: "Gespeichert. Du findest den Beitrag in deinem Konto.",
  removedStatus: "Entfernt.",
  continueReading: "Lies weiter, wo du aufgehört hast:",
  countedFor: (team) => `Für ${team} gezählt`,
  readCounted: "Als gelesen gezählt",
  shareAndEdit: "Teilen und bearbeiten",
  copyLink: "Link kopieren",
  email: "Per E-Mail teilen",
  replyByEmail: "Per E-Mail antworten",
  discuss: "Über diesen Beitrag diskutieren",
  edit: "Beitrag bearbeiten",
  license: "Lizenz:",
  aboutAuthor: (name) => `Mehr über ${name}`,

  whoIsReading: "Wer hier liest",
  noTeamLeads:
    "Noch führt hier kein Team. Wer den Beitrag als erstes Mitglied liest, bringt sein Team in Führung.",
  teamLeads: (team, score) => `${team} führt: ${score}-mal gelesen pro aktivem Mitglied.`,
  teamsTied: (teams, score) =>
    `Gleichstand zwischen ${list(teams)}: ${score}-mal gelesen pro aktivem Mitglied.`,
  readToTheEnd: (reads) =>
    reads === 0
      ? "Noch niemand hat ihn zu Ende gelesen."
      : `${reads === 1 ? "Einmal" : `${count(reads)}-mal`} zu Ende gelesen.`,
  reads: (reads) => `${count(reads)}-mal gelesen`,
  activeMembers: (members) =>
    `${count(members)} ${members === 1 ? "aktives Mitglied" : "aktive Mitglieder"}`,
  readsPerMember: "mal gelesen pro Mitglied",
  decimal,

  keepReading: "Weiterlesen",
  isNew: "Neu",
  isRead: "gelesen",
  topics: "Themen",
  leads: (team) => `${team} führt`,
  tied: (teams) => `Gleichstand: ${list(teams)}`,
  noLead: "Noch führt kein Team",
};
