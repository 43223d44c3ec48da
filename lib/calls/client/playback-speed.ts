// Stores one playback speed for all recordings in localStorage.

export const PLAYBACK_SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3] as const;

const STORAGE_KEY = "lectern-speed";
const listeners = new Set<() => void>();
/** Used when storage is blocked. */
let fallbackSpeed = 1;

function normalizeSpeed(value: number): number {
  return (PLAYBACK_SPEEDS as readonly number[]).includes(value) ? value : 1;
}

/** Returns the speed selected last; 1 by default. */
export function readPlaybackSpeed(): number {
  try {
    return normalizeSpeed(Number(localStorage.getItem(STORAGE_KEY) ?? fallbackSpeed));
  } catch {
    return fallbackSpeed;
  }
}

/** Stores the speed and notifies all players on the page. An unknown speed becomes 1. */
export function setPlaybackSpeed(speed: number): void {
  fallbackSpeed = normalizeSpeed(speed);
  try {
    localStorage.setItem(STORAGE_KEY, String(fallbackSpeed));
  } catch {
    // Storage is blocked: the speed is lost with the page.
  }
  for (const listener of listeners) listener();
}

/** Returns the next faster or slower speed; unchanged at the ends of the range. */
export function stepSpeed(speed: number, isFaster: boolean): number {
  const index = (PLAYBACK_SPEEDS as readonly number[]).indexOf(normalizeSpeed(speed));
  return PLAYBACK_SPEEDS[index + (isFaster ? 1 : -1)] ?? speed;
}

/**
 * Subscribes to changes by other players on the page and by other tabs, for useSyncExternalStore.
 */
export function subscribeToSpeed(listener: () => void): () => void {
  listeners.add(listener);
  addEventListener("storage", listener);
  return () => {
    listeners.delete(listener);
    removeEventListener("storage", listener);
  };
}
