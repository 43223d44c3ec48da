// Ensures that only one tab edits a draft at a time, with a mutex from the Web Locks API.

/**
 * Acquires the lock `name` and holds it until `signal` aborts. Calls `onLocked` if another tab
 * holds it, and `onAcquired` once this tab does. Without Web Locks, calls `onAcquired` immediately.
 */
export async function acquireDraftLock(
  name: string,
  signal: AbortSignal,
  { onAcquired, onLocked }: { onAcquired: () => void; onLocked: () => void },
): Promise<void> {
  if (!navigator.locks) return onAcquired();
  const holdUntilAborted = () => {
    if (signal.aborted) return undefined;
    onAcquired();
    return new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true }),
    );
  };
  try {
    const wasFree = await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock) await holdUntilAborted();
      return lock !== null;
    });
    if (wasFree || signal.aborted) return;
    onLocked();
    await navigator.locks.request(name, { signal }, holdUntilAborted);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
