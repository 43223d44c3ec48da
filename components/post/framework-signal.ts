// Tells errors of a component from what React and Next throw to suspend, redirect or bail out.

import { unstable_rethrow } from "next/navigation";

const SUSPENSE_MESSAGE = "Suspense Exception: This is not a real error!";

/** Returns whether code that catches `error` must rethrow it. */
export function isFrameworkSignal(error: unknown): boolean {
  // A component suspends by throwing, in older libraries by throwing the promise itself.
  if (error instanceof Error && error.message.startsWith(SUSPENSE_MESSAGE)) return true;
  if (typeof error === "object" && error !== null && "then" in error) return true;
  try {
    unstable_rethrow(error);
    return false;
  } catch {
    return true;
  }
}
