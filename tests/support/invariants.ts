// What must never break, not even once on a busy machine: no second try mends it (scripts/test-report.mjs, decision 028).

import { inspect } from "node:util";

/** Throws, and fails the whole run with that, unless `broken` is empty: what of `promise` was not kept. */
export function assertInvariant(promise: string, broken: readonly unknown[]): void {
  if (broken.length > 0)
    throw new Error(
      `Broken promise: ${promise}. Not so:\n${inspect(broken, { depth: 4, maxArrayLength: 20, breakLength: 160 })}`,
    );
}
