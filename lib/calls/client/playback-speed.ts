// How fast recordings play: one speed for all of them, kept in the browser.

export const PLAYBACK_SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3] as const;

const STORAGE_KEY = "lectern-speed";
const listeners = new Set<() => void>();
/** For browsers that keep nothing. */
let fallbackSpeed = 1;

function normalizeSpeed(value: number): number {
  return (PLAYBACK_SPEEDS as readonly number[]).includes(value) ? value : 1;
}

/** The speed that was chosen last; 1 before. */
export function readPlaybackSpeed(): number {
  try {
    return normalizeSpeed(Number(localStorage.getItem(STORAGE_KEY) ?? fallbackSpeed));
  } catch {
    return fallbackSpeed;
  }
}

export function setPlaybackSpeed(speed: number): void {
  fallbackSpeed = normalizeSpeed(speed);
  try {
    localStorage.setItem(STORAGE_KEY, String(fallbackSpeed));
  } catch {
    // Not kept, but used.
  }
  for (const tell of listeners) tell();
}

/** `faster` or slower than `speed` by one step; the same at the ends. */
export function stepSpeed(speed: number, faster: boolean): number {
  const at =
    (PLAYBACK_SPEEDS as readonly number[]).indexOf(normalizeSpeed(speed)) + (faster ? 1 : -1);
  return PLAYBACK_SPEEDS[at] ?? speed;
}

/** For useSyncExternalStore: other players on the page, and other tabs. */
export function subscribeToSpeed(tell: () => void): () => void {
  listeners.add(tell);
  addEventListener("storage", tell);
  return () => {
    listeners.delete(tell);
    removeEventListener("storage", tell);
  };
}
