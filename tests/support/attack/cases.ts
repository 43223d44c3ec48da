// Defines the table entries of server actions and route handlers: access rule, valid request,
// writes, invalid input.

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
  /** True if the request refers to the owner's objects, so the neighbor is rejected. */
  readonly isOwnerOnly?: true;
}

export interface FieldsWithCookie {
  readonly fields: Fields;
  /** A cookie that the browser must have besides the session. */
  readonly cookie: string | null;
}

export interface ActionCase extends AccessRule {
  /** The page with the action's form. */
  readonly page: string | ((fixture: AttackFixture) => string);
  /** Returns fields that succeed for the owner, or for the admin. */
  makeValidFields(
    context: CaseContext,
  ): Fields | FieldsWithCookie | Promise<Fields | FieldsWithCookie>;
  /** The tables that a success changes. "SessionInfo" may always change. */
  readonly writtenTables: readonly string[];
  /** Returns state outside the database that a rejected request must not change. */
  readUnchangedState?(context: CaseContext): unknown;
  /**
   * Fields with generators of values that are rejected whatever the other fields contain; empty if
   * there are no such fields.
   */
  readonly invalidFields: Readonly<Record<string, InvalidValue>>;
}

export interface HandlerRequest {
  readonly path: string;
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array;
  /** A cookie that the browser must have besides the session. */
  readonly cookie?: string;
}

export interface HandlerCase extends AccessRule {
  /** Returns a request that succeeds for the owner, or for the admin. */
  makeValidRequest(context: CaseContext): HandlerRequest;
  /** The status of that success. */
  readonly status: number;
  /** The tables that a success changes. A GET changes none. */
  readonly writtenTables?: readonly string[];
  /** True if strangers get the same status, so that it doesn't reveal what exists. */
  readonly isSameForStrangers?: true;
  /** Does not authenticate by cookies, so the request's origin does not matter. */
  readonly isOriginIgnored?: true;
  /**
   * Returns a request that is rejected for every sender. Not used for GET, where any request works.
   */
  makeInvalidRequest?(random: Random, fixture: AttackFixture): HandlerRequest;
}

/** Returns the result of `makeValidFields` with its cookie, or null if it needs none. */
export function splitFieldsAndCookie(result: Fields | FieldsWithCookie): FieldsWithCookie {
  return typeof result.fields === "object"
    ? (result as FieldsWithCookie)
    : { fields: result as Fields, cookie: null };
}
