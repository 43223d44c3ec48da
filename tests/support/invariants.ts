// Fails a test if an invariant is violated, with every violation in the message.

import { inspect } from "node:util";

/** Throws unless `violations` is empty. */
export function assertInvariant(invariant: string, violations: readonly unknown[]): void {
  if (violations.length > 0)
    throw new Error(
      `Invariant violated: ${invariant}.\n${inspect(violations, { depth: 4, maxArrayLength: 20, breakLength: 160 })}`,
    );
}
