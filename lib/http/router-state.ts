// Refuses a malformed router state, the header in which Next's client says what it shows. Next would
// respond with 500.

import { z } from "zod";
import type { PipelineContext } from "./pipeline-context.ts";
import { refuseRequest } from "./refuse-request.ts";

const PARAMETER_TYPES = [
  "c",
  "ci(..)(..)",
  "ci(.)",
  "ci(..)",
  "ci(...)",
  "oc",
  "d",
  "di(..)(..)",
  "di(.)",
  "di(..)",
  "di(...)",
];

/** Next's flightRouterStateSchema (next/dist/server/app-render/types.js). A test compares them. */
const routerStateSchema: z.ZodType = z.lazy(() =>
  z.tuple([
    z.union([
      z.string(),
      z.tuple([z.string(), z.string(), z.enum(PARAMETER_TYPES), z.array(z.string()).nullable()]),
    ]),
    z.record(z.string(), routerStateSchema),
    z.tuple([z.string(), z.string()]).nullish(),
    z.enum(["refetch", "inside-shared-layout", "metadata-only"]).nullish(),
    z.number().nullish(),
    z.string().optional(),
  ]),
);

/** Throws for a key that the schema would not see. */
function assertOwnKey(key: string, value: unknown): unknown {
  if (key === "__proto__") throw new TypeError("The key __proto__ is not allowed.");
  return value;
}

/** Returns true if Next can parse the value of Next-Router-State-Tree. */
export function isRouterState(header: string): boolean {
  try {
    const state: unknown = JSON.parse(decodeURIComponent(header), assertOwnKey);
    return routerStateSchema.safeParse(state).success;
  } catch {
    return false; // not JSON, or nested too deeply
  }
}

/** Pipeline step. */
export function refuseInvalidRouterState(context: PipelineContext): void {
  const header = context.request.headers["next-router-state-tree"];
  if (header !== undefined && !isRouterState(String(header)))
    refuseRequest(context, 400, "The Next-Router-State-Tree header is malformed.");
}
