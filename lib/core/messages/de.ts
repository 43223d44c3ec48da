// The texts of a post page's frame in German.

import type { Messages } from "./en.ts";
import { createFormats } from "./formats.ts";

const { date, count, decimal, list } = createFormats("de");

export const de: Messages = {
  skipToContent: "Zum Inhalt springen",
  mainNavigation: "Hauptmenü",
  moreNavigation: "Weiteres",
  search: "Suchen",
  logIn: "Anmelden",
  account: "Konto",
  pages: {
    "/blog": "Beiträge",
    "/calls": "Fragen",
    "/teams": "Teams",
    "/about": "Über uns",
    "/how-we-count": "Wie wir zählen",
    "/subscribe": "Abonnieren",
    "/contact": "Kontakt",
    "/privacy": "Datenschutz",
  },
  theme: "Farbschema",
  themes: { light: "Hell", dark: "Dunkel", system: "System" },
  copied: "Kopiert",
  copyFailed: "Kopieren nicht möglich: Der Browser erlaubt keinen Zugriff auf die Zwischenablage.",

  date,
  readingTime: (minutes) => `${minutes} Min. Lesezeit`,
  updated: "Aktualisiert am",
  draft: "Entwurf.",
  draftNotice: "Nicht gelistet, nicht gezählt und noch im Wandel.",
  archived: "Archiviert.",
  archivedNotice: "Richtig, als es geschrieben wurde; wird nicht mehr aktualisiert.",
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
  savedStatus: "Auf deiner Kontoseite gespeichert.",
  removedStatus: "Entfernt.",
  continueReading: "Weiterlesen, wo du aufgehört hast:",
  countedFor: (team: string) => `Gezählt für ${team}`,
  readCounted: "Gezählt",
  shareAndEdit: "Teilen und bearbeiten",
  copyLink: "Link kopieren",
  email: "Per E-Mail teilen",
  replyByEmail: "Per E-Mail antworten",
  discuss: "Über diesen Beitrag diskutieren",
  edit: "Beitrag bearbeiten",
  license: "Lizenz:",
  aboutAuthor: (name) => `Mehr über ${name}`,

  whoIsReading: "Wer das liest",
  noTeamLeads:
    "Noch führt hier kein Team. Das erste Mitglied, das den Beitrag liest, bringt seines nach vorn.",
  teamLeads: (team, score) => `${team} führt mit ${score} Lesungen je aktivem Mitglied.`,
  teamsTied: (teams, score) =>
    `Gleichstand zwischen ${list(teams)} mit ${score} Lesungen je aktivem Mitglied.`,
  readToTheEnd: (reads) =>
    reads === 0
      ? "Noch niemand hat ihn zu Ende gelesen."
      : `${reads === 1 ? "Einmal" : `${count(reads)}-mal`} zu Ende gelesen.`,
  reads: (reads) => `${count(reads)} ${reads === 1 ? "Lesung" : "Lesungen"}`,
  activeMembers: (members) =>
    `${count(members)} ${members === 1 ? "aktives Mitglied" : "aktive Mitglieder"}`,
  readsPerMember: "Lesungen je Mitglied",
  decimal,

  keepReading: "Weiterlesen",
  isNew: "Neu",
  isRead: "gelesen",
  topics: "Themen",
  leads: (team) => `${team} führt`,
  tied: (teams) => `Gleichstand: ${list(teams)}`,
  noLead: "Noch führt kein Team",
};
