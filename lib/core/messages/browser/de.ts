// The German strings of the search palette and the player.

import { createFormats } from "../formats.ts";
import type { BrowserMessages } from "./en.ts";

const plural = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`;

const results = (total: number) => `${total} Treffer`;

export const de: BrowserMessages = {
  search: {
    name: "Suche",
    field: "Diese Website durchsuchen",
    close: "Schließen",
    results: "Treffer",
    allResults: "Alle Treffer",
    failed: "Die Suche antwortet nicht. Drücke Enter, um es noch einmal zu versuchen.",
    slashKey: "Öffnen mit",
    alsoWorks: "geht auch",
    date: createFormats("de").date,
    post: "Beitrag",
    page: "Seite",
    episode: (number) => `Folge ${number}`,
    noResults: (q) => `Keine Treffer für „${q}“`,
    count: (total, q) => `${results(total)} für „${q}“`,
    approximate: (total, q) =>
      `Kein genauer Treffer für „${q}“. ${results(total)} mit ähnlichen Wörtern`,
  },
  player: {
    name: "Player",
    play: "Abspielen",
    pause: "Pause",
    back: "15 Sekunden zurück",
    forward: "30 Sekunden vor",
    position: "Position",
    positionOf: (position, length) => `${position} von ${length}`,
    duration: (minutes, seconds) =>
      minutes === 0
        ? plural(seconds, "Sekunde", "Sekunden")
        : `${plural(minutes, "Minute", "Minuten")} ${plural(seconds, "Sekunde", "Sekunden")}`,
    speed: "Geschwindigkeit",
    close: "Player schließen",
    continueAt: (time) => `Weiter ab ${time}`,
    failed: "Diese Aufnahme lässt sich nicht abspielen.",
    download: "Stattdessen herunterladen",
  },
};
