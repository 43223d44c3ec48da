// How fast recordings play: one speed for all of them, kept in the browser.

export const SPEEDS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 2, 2.5, 3] as const;

const KEY = "lectern-speed";
const listeners = new Set<() => void>();
/** For browsers that keep nothing. */
let current = 1;

function known(value: number): number {
  return (SPEEDS as readonly number[]).includes(value) ? value : 1;
}

/** The speed that was chosen last; 1 before. */
export function readSpeed(): number {
  try {
    return known(Number(localStorage.getItem(KEY) ?? current));
  } catch {
    return current;
  }
}

export function chooseSpeed(speed: number): void {
  current = known(speed);
  try {
    localStorage.setItem(KEY, String(current));
  } catch {
    // Not kept, but used.
  }
  for (const tell of listeners) tell();
}

/** `faster` or slower than `speed` by one step; the same at the ends. */
export function nextSpeed(speed: number, faster: boolean): number {
  const at = (SPEEDS as readonly number[]).indexOf(known(speed)) + (faster ? 1 : -1);
  return SPEEDS[at] ?? speed;
}

/** For useSyncExternalStore: other players on the page, and other tabs. */
export function onSpeed(tell: () => void): () => void {
  listeners.add(tell);
  addEventListener("storage", tell);
  return () => {
    listeners.delete(tell);
    removeEventListener("storage", tell);
  };
}
