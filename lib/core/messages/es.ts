// The Spanish strings of the page layout around a post.

import type { Messages } from "./en.ts";
import { createFormats } from "./formats.ts";

const { date, count, decimal, list } = createFormats("es");

export const es: Messages = {
  skipToContent: "Ir al contenido",
  mainNavigation: "Principal",
  moreNavigation: "Más páginas",
  search: "Buscar",
  logIn: "Iniciar sesión",
  account: "Cuenta",
  pages: {
    "/blog": "Artículos",
    "/calls": "Preguntas",
    "/teams": "Equipos",
    "/about": "Acerca de",
    "/how-we-count": "Cómo contamos",
    "/subscribe": "Suscribirse",
    "/contact": "Contacto",
    "/privacy": "Privacidad",
  },
  theme: "Tema",
  themes: { light: "Claro", dark: "Oscuro", system: "Sistema" },
  copied: "Copiado",
  copyFailed: "No se pudo copiar: el navegador ha bloqueado el acceso al portapapeles.",

  date,
  readingTime: (minutes) => `${minutes} min de lectura`,
  updated: "Actualizado el",
  draft: "Borrador.",
  draftNotice: "No aparece en las listas, no se cuenta y puede cambiar.",
  archived: "Archivado.",
  archivedNotice: "Era correcto cuando se escribió; ya no se actualiza.",
  translations: "Traducciones:",
  addTranslation: "Añadir una traducción",
  by: "por",
  byAuthor: "Por",
  contents: "Contenido",
  seriesPart: (number, total) => `Parte ${number} de ${total}`,
  seriesParts: "Partes de esta serie",
  series: "Serie",
  previousPart: "Parte anterior",
  nextPart: "Parte siguiente",
  previousPost: "Artículo anterior",
  nextPost: "Artículo siguiente",
  otherPosts: "Artículos anterior y siguiente",

  saveForLater: "Guardar para después",
  saved: "Guardado",
  pressToRemove: "(pulsa para quitar)",
  savedStatus: "Guardado en tu cuenta.",
  removedStatus: "Quitado.",
  continueReading: "Continúa donde lo dejaste:",
  countedFor: (team) => `Contado para ${team}`,
  readCounted: "Lectura contada",
  shareAndEdit: "Compartir y editar",
  copyLink: "Copiar enlace",
  email: "Compartir por correo",
  replyByEmail: "Responder por correo",
  discuss: "Comentar este artículo",
  edit: "Editar este artículo",
  license: "Licencia:",
  aboutAuthor: (name) => `Más sobre ${name}`,

  whoIsReading: "Quién lo lee",
  noTeamLeads:
    "Ningún equipo va en cabeza todavía. El primer miembro que lo lea pondrá al suyo por delante.",
  teamLeads: (team, score) => `${team} va en cabeza con ${score} lecturas por miembro activo.`,
  teamsTied: (teams, score) =>
    `Empate entre ${list(teams)} con ${score} lecturas por miembro activo.`,
  readToTheEnd: (reads) =>
    reads === 0
      ? "Nadie lo ha terminado todavía."
      : `Leído hasta el final ${count(reads)} ${reads === 1 ? "vez" : "veces"}.`,
  reads: (reads) => `${count(reads)} ${reads === 1 ? "lectura" : "lecturas"}`,
  activeMembers: (members) =>
    `${count(members)} ${members === 1 ? "miembro activo" : "miembros activos"}`,
  readsPerMember: "lecturas por miembro",
  decimal,

  keepReading: "Sigue leyendo",
  isNew: "Nuevo",
  isRead: "leído",
  topics: "Temas",
  leads: (team) => `${team} va en cabeza`,
  tied: (teams) => `Empate: ${list(teams)}`,
  noLead: "Ningún equipo va en cabeza",
};
