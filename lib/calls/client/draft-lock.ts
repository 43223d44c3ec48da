// One tab at a time works on a draft.

/**
 * Takes the lock `name` and keeps it until `signal` ends. Calls `onElsewhere` at once when another tab has it, and `onMine` when
 * this one gets it, now or after that tab was closed. A browser without locks gets it at once.
 */
export async function acquireDraftLock(
  name: string,
  signal: AbortSignal,
  { onMine, onElsewhere }: { onMine: () => void; onElsewhere: () => void },
): Promise<void> {
  if (!navigator.locks) return onMine();
  const held = () => {
    if (signal.aborted) return undefined;
    onMine();
    return new Promise<void>((resolve) =>
      signal.addEventListener("abort", () => resolve(), { once: true }),
    );
  };
  try {
    const free = await navigator.locks.request(name, { ifAvailable: true }, async (lock) => {
      if (lock) await held();
      return lock !== null;
    });
    if (free || signal.aborted) return;
    onElsewhere();
    await navigator.locks.request(name, { signal }, held);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}
