// The Spanish strings of the search palette and the player.

import { createFormats } from "../formats.ts";
import type { BrowserMessages } from "./en.ts";

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

const results = (total: number) => plural(total, "resultado", "resultados");

export const es: BrowserMessages = {
  search: {
    name: "Búsqueda",
    field: "Buscar en este sitio",
    close: "Cerrar",
    results: "Resultados",
    allResults: "Todos los resultados",
    failed: "La búsqueda no responde. Pulsa Intro para volver a intentarlo.",
    slashKey: "Abrir con",
    alsoWorks: "también funciona",
    date: createFormats("es").date,
    post: "Artículo",
    page: "Página",
    episode: (number) => `Episodio ${number}`,
    noResults: (q) => `No hay resultados para «${q}»`,
    count: (total, q) => `${results(total)} para «${q}»`,
    approximate: (total, q) =>
      `No hay nada que coincida exactamente con «${q}». ${results(total)} con palabras parecidas`,
  },
  player: {
    name: "Reproductor",
    play: "Reproducir",
    pause: "Pausar",
    back: "Retroceder 15 segundos",
    forward: "Avanzar 30 segundos",
    position: "Posición",
    positionOf: (position, length) => `${position} de ${length}`,
    duration: (minutes, seconds) =>
      minutes === 0
        ? plural(seconds, "segundo", "segundos")
        : `${plural(minutes, "minuto", "minutos")} ${plural(seconds, "segundo", "segundos")}`,
    speed: "Velocidad",
    close: "Cerrar el reproductor",
    continueAt: (time) => `Continuar desde ${time}`,
    failed: "No se puede reproducir esta grabación.",
    download: "Descargarla",
  },
};
