// Whose cache is looked at: every instance has its own.

import { hostname } from "node:os";
import { env } from "#lib/base/env.ts";
import { AppError } from "#lib/base/errors.ts";

export interface Instance {
  readonly name: string;
  readonly region: string | null;
  /** The one that answers. */
  readonly isThis: boolean;
}

/** The instances that are known: this one, until there is a cluster to ask. */
export function knownInstances(): readonly Instance[] {
  return [{ name: hostname(), region: env.FLY_REGION ?? null, isThis: true }];
}

/**
 * The known instance called `name`; this one for "". What a browser sends is only ever compared, never passed on:
 * it must not get into the header of a replay. Throws AppError(not_found).
 */
export function chooseInstance(name: string): Instance {
  const chosen = knownInstances().find((instance) => (name === "" ? instance.isThis : instance.name === name));
  if (!chosen) throw new AppError("not_found", "There is no such instance any more. Load the page again.", { field: "instance" });
  return chosen;
}
