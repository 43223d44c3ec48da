// What the tables of actions and handlers say of each: who may, what works, what it changes, what can never work.

import type Database from "better-sqlite3";
import type { InvalidValue, Random } from "./fuzz-values.ts";
import type { Fields } from "./server-action-request.ts";
import type { AttackFixture } from "./attack-fixture.ts";

export type RequiredRole = "anyone" | "member" | "admin";

export interface CaseContext {
  readonly world: AttackFixture;
  readonly db: Database.Database;
}

export interface ActionCase {
  readonly who: RequiredRole;
  /** Wants a log-in of the last fifteen minutes. */
  readonly recent?: true;
  /** Where its form stands. */
  readonly page: string | ((world: AttackFixture) => string);
  /** What works for whom it is for: the owner, or the admin. `cookie` for what else their browser must hold. */
  makeValidFields(
    stage: CaseContext,
  ):
    | Fields
    | Promise<Fields>
    | { fields: Fields; cookie: string }
    | Promise<{ fields: Fields; cookie: string }>;
  /** The tables it changes when it works. "SessionInfo" may always be. */
  readonly writtenTables: readonly string[];
  /** Its fields name what belongs to the owner: their neighbour is refused. */
  readonly isOwners?: true;
  /** What else must be the same after a refusal, beside the database. */
  readUnchangedState?(stage: CaseContext): unknown;
  /** Fields that can be made so wrong that it can't work, whatever the rest. Empty: there are none, so members are not used for bad input. */
  readonly invalidFields: Readonly<Record<string, InvalidValue>>;
}

export interface HandlerRequest {
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** What else their browser must hold. */
  readonly cookie?: string;
}

export interface HandlerCase {
  readonly who: RequiredRole;
  readonly recent?: true;
  /** What works for whom it is for. */
  makeValidRequest(stage: CaseContext): HandlerRequest | Promise<HandlerRequest>;
  /** What it answers then. */
  readonly status: number;
  /** The tables it changes when it works. A GET changes none. */
  readonly writtenTables?: readonly string[];
  /** It is about what belongs to the owner: their neighbour is refused. */
  readonly isOwners?: true;
  /** What a stranger is answered too, where nothing of theirs is there to do: then nobody learns what there is. */
  readonly isSameForStrangers?: true;
  /** It does not go by cookies, so it does not matter which page sends it. */
  readonly isOriginIgnored?: true;
  /** A request that can't be right, whoever sends it. For a GET any request will do, and this one is not needed. */
  makeInvalidRequest?(random: Random, world: AttackFixture): HandlerRequest;
}

/** The fields of what `ready` gave, and the cookie where there is one. */
export function splitFieldsAndCookie(given: Fields | { fields: Fields; cookie: string }): {
  fields: Fields;
  cookie: string | null;
} {
  return typeof given.fields === "object"
    ? (given as { fields: Fields; cookie: string })
    : { fields: given as Fields, cookie: null };
}
