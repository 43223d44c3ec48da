// Calls a function for each item with bounded concurrency.

/**
 * Calls `fn` for each item in order, at most `concurrency` at a time. On the first error, rejects
 * and starts no further calls.
 */
export async function forEachConcurrently<T>(
  items: readonly T[],
  concurrency: number,
  fn: (item: T) => Promise<void>,
): Promise<void> {
  let nextIndex = 0;
  let hasFailed = false;
  const work = async (): Promise<void> => {
    while (nextIndex < items.length && !hasFailed) {
      try {
        await fn(items[nextIndex++]!);
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  await Promise.all(Array.from({ length: Math.min(concurrency, items.length) }, work));
}
