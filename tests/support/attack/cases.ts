// Defines what the tables say of each server action and route handler: access rule, valid request, writes, invalid input.

import type Database from "better-sqlite3";
import type { Random } from "#tests/support/random.ts";
import type { InvalidValue } from "./fuzz-values.ts";
import type { Fields } from "./server-action-request.ts";
import type { AttackFixture } from "./attack-fixture.ts";

export interface CaseContext {
  readonly fixture: AttackFixture;
  readonly db: Database.Database;
}

export interface AccessRule {
  readonly requiredRole: "anyone" | "member" | "admin";
  /** Requires a login within the last fifteen minutes. */
  readonly needsRecentLogin?: true;
  /** The request names what belongs to the owner: the neighbor is refused. */
  readonly isOwnerOnly?: true;
}

export interface FieldsWithCookie {
  readonly fields: Fields;
  /** What else the browser must hold, beside the session. */
  readonly cookie: string | null;
}

export interface ActionCase extends AccessRule {
  /** The page with the action's form. */
  readonly page: string | ((fixture: AttackFixture) => string);
  /** Returns fields that succeed for the owner, or for the admin. */
  makeValidFields(context: CaseContext): Fields | FieldsWithCookie;
  /** The tables that a success changes. "SessionInfo" may always change. */
  readonly writtenTables: readonly string[];
  /** Returns state outside the database that a refusal must not change. */
  readUnchangedState?(context: CaseContext): unknown;
  /** Fields with generators of values that are refused whatever the other fields hold; empty if there are none. */
  readonly invalidFields: Readonly<Record<string, InvalidValue>>;
}

export interface HandlerRequest {
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** What else the browser must hold, beside the session. */
  readonly cookie?: string;
}

export interface HandlerCase extends AccessRule {
  /** Returns a request that succeeds for the owner, or for the admin. */
  makeValidRequest(context: CaseContext): HandlerRequest;
  /** The status of that success. */
  readonly status: number;
  /** The tables that a success changes. A GET changes none. */
  readonly writtenTables?: readonly string[];
  /** Strangers get the same status, so that nothing reveals what exists. */
  readonly isSameForStrangers?: true;
  /** Does not authenticate by cookies, so the request's origin does not matter. */
  readonly isOriginIgnored?: true;
  /** Returns a request that is refused for every sender. Unused for GET, where any request will do. */
  makeInvalidRequest?(random: Random, fixture: AttackFixture): HandlerRequest;
}

/** Returns the result of `makeValidFields` with a cookie, null where it needs none. */
export function splitFieldsAndCookie(result: Fields | FieldsWithCookie): FieldsWithCookie {
  return typeof result.fields === "object"
    ? (result as FieldsWithCookie)
    : { fields: result as Fields, cookie: null };
}
