// What the tables of actions and handlers say of each: who may, what works, what it changes, what can never work.

import type Database from "better-sqlite3";
import type { BadValue, Random } from "./bad-values.ts";
import type { Fields } from "./call-action.ts";
import type { World } from "./world.ts";

export type Who = "anyone" | "member" | "admin";

export interface Stage {
  readonly world: World;
  readonly db: Database.Database;
}

export interface ActionCase {
  readonly who: Who;
  /** Wants a log-in of the last fifteen minutes. */
  readonly recent?: true;
  /** Where its form stands. */
  readonly page: string | ((world: World) => string);
  /** What works for whom it is for: the owner, or the admin. `cookie` for what else their browser must hold. */
  ready(
    stage: Stage,
  ):
    | Fields
    | Promise<Fields>
    | { fields: Fields; cookie: string }
    | Promise<{ fields: Fields; cookie: string }>;
  /** The tables it changes when it works. "SessionInfo" may always be. */
  readonly changes: readonly string[];
  /** Its fields name what belongs to the owner: their neighbour is refused. */
  readonly isOwners?: true;
  /** What else must be the same after a refusal, beside the database. */
  holds?(stage: Stage): unknown;
  /** Fields that can be made so wrong that it can't work, whatever the rest. Empty: there are none, so members are not used for bad input. */
  readonly wrong: Readonly<Record<string, BadValue>>;
}

export interface HandlerRequest {
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** What else their browser must hold. */
  readonly cookie?: string;
}

export interface HandlerCase {
  readonly who: Who;
  readonly recent?: true;
  /** What works for whom it is for. */
  ready(stage: Stage): HandlerRequest | Promise<HandlerRequest>;
  /** What it answers then. */
  readonly status: number;
  /** The tables it changes when it works. A GET changes none. */
  readonly changes?: readonly string[];
  /** It is about what belongs to the owner: their neighbour is refused. */
  readonly isOwners?: true;
  /** What a stranger is answered too, where nothing of theirs is there to do: then nobody learns what there is. */
  readonly alsoForStrangers?: true;
  /** It does not go by cookies, so it does not matter which page sends it. */
  readonly fromAnywhere?: true;
  /** A request that can't be right, whoever sends it. For a GET any request will do, and this one is not needed. */
  wrong?(random: Random, world: World): HandlerRequest;
}

/** The fields of what `ready` gave, and the cookie where there is one. */
export function readyOf(given: Fields | { fields: Fields; cookie: string }): {
  fields: Fields;
  cookie: string | null;
} {
  return typeof given.fields === "object"
    ? (given as { fields: Fields; cookie: string })
    : { fields: given as Fields, cookie: null };
}
