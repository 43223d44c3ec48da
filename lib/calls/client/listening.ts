// Remembers in the browser where a listener stopped in each recording, and what the tab plays.

import { LISTENING_KEY, PLACES_KEY } from "./storage-keys.ts";

export interface Track {
  readonly src: string;
  /** "The answer". */
  readonly label: string;
  /** As measured on the server, since MediaRecorder writes no duration into its files. */
  readonly durationMs: number | null;
}

/** What a play button plays. */
export interface Program {
  /** The episode's title and page. */
  readonly title: string;
  readonly href: string;
  readonly image: string;
  readonly tracks: readonly Track[];
  /** The track to start with. Without one, the listener continues where they stopped. */
  readonly index?: number;
}

/** What the tab plays; the next page continues it. */
export interface Listening {
  readonly program: Program;
  readonly index: number;
  readonly isPlaying: boolean;
}

const MAX_PLACES = 100;

function readJson(storage: () => Storage, key: string): unknown {
  try {
    return JSON.parse(storage().getItem(key) ?? "null");
  } catch {
    return null; // storage is blocked, or has invalid data
  }
}

function writeJson(storage: () => Storage, key: string, value: unknown): void {
  try {
    if (value === null) storage().removeItem(key);
    else storage().setItem(key, JSON.stringify(value));
  } catch {
    // Storage is blocked or full: nothing is remembered.
  }
}

const readPlaces = (): Record<string, number> => {
  const places = readJson(() => localStorage, PLACES_KEY);
  return typeof places === "object" && places !== null ? (places as Record<string, number>) : {};
};

/** Returns the seconds at which the listener stopped; 0 for a new or finished recording. */
export function findPlace(src: string): number {
  const seconds = readPlaces()[src];
  return Number.isFinite(seconds) && seconds! > 0 ? seconds! : 0;
}

/** Remembers the place; 0 forgets it. Drops the oldest places beyond 100. */
export function rememberPlace(src: string, seconds: number): void {
  const { [src]: _, ...others } = readPlaces();
  const places = Object.entries(seconds > 0 ? { ...others, [src]: seconds } : others);
  writeJson(() => localStorage, PLACES_KEY, Object.fromEntries(places.slice(-MAX_PLACES)));
}

/** Returns what the tab plays. Forgets anything else, such as what another version stored. */
export function readListening(): Listening | null {
  const stored = readJson(() => sessionStorage, LISTENING_KEY);
  if (isListening(stored)) return stored;
  rememberListening(null);
  return null;
}

type Unknown<T> = { readonly [Key in keyof T]?: unknown };

const isPath = (value: unknown): boolean => typeof value === "string" && /^\/(?![/\\])/.test(value);

function isListening(value: unknown): value is Listening {
  const { program, index } = (value ?? {}) as Unknown<Listening>;
  const { title, href, image, tracks } = (program ?? {}) as Unknown<Program>;
  return (
    typeof title === "string" &&
    isPath(href) &&
    isPath(image) &&
    Array.isArray(tracks) &&
    tracks.every(isTrack) &&
    typeof index === "number" &&
    index in tracks
  );
}

function isTrack(value: unknown): value is Track {
  const { src, label, durationMs } = (value ?? {}) as Unknown<Track>;
  return (
    isPath(src) &&
    typeof label === "string" &&
    (durationMs === null || typeof durationMs === "number")
  );
}

/** Null: the tab plays nothing. */
export const rememberListening = (listening: Listening | null): void =>
  writeJson(() => sessionStorage, LISTENING_KEY, listening);
