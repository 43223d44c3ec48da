// The one wrapper of every server action: primary → origin → member → fields → work → state of the form.

import { headers } from "#lib/http/next-request.ts";
import type { z } from "zod";
import { AppError, isAppError } from "#lib/core/errors.ts";
import type { Sql } from "#lib/db/connection.ts";
import { type WriteOptions, readSql } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { getClientAddress } from "#lib/http/client-address.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import { type SessionIds, readSessionCookies } from "./session/session.ts";
import type { FormState } from "#lib/http/form-state.ts";
import {
  type MemberWithRole,
  type RequiredRole,
  requireViewer,
  writeAuthorized,
} from "./write-authorized.ts";

interface ActionContext<Input, W extends RequiredRole> {
  readonly input: Input;
  readonly member: MemberWithRole<W>;
  readonly sessionIds: SessionIds;
  readonly request: { readonly headers: Headers };
  /** The client's address for limits, null where none is known. */
  readonly clientAddress: string | null;
  /** writeAs for whom the action is for: rights are checked again inside. */
  write<T>(fn: (sql: Sql, member: MemberWithRole<W>) => T, options?: WriteOptions): Promise<T>;
}

interface ServerActionOptions<Fields extends z.ZodType, W extends RequiredRole> {
  /** Whom the action is for. Everybody else is refused before the fields are looked at. */
  readonly requiredRole: W;
  /** Wants a log-in of the last 15 minutes. */
  readonly requiresRecentLogin?: boolean;
  readonly fields: Fields;
  /** Fields that never come back to the form, such as codes. */
  readonly secretFields?: readonly string[];
  /** Does the work. What it returns is shown as done; an AppError that it throws as refused; a redirect passes through. */
  run(context: ActionContext<z.output<Fields>, W>): Promise<string | void>;
}

const MAX_ECHOED_LENGTH = 5_000;

function readTextFields(form: FormData): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of form)
    if (typeof value === "string" && !name.startsWith("$ACTION") && name !== "__proto__")
      texts[name] = value;
  return texts;
}

function refusedState(
  error: AppError,
  errors: Record<string, string>,
  values: Record<string, string>,
): FormState {
  return { status: "refused", message: error.message, code: error.code, errors, values };
}

/**
 * A server action for useActionState. Refusals come back as the state of the form with everything that was typed;
 * what is not an AppError (a redirect, a replay, a fault) passes through.
 */
export function defineServerAction<Fields extends z.ZodType, W extends RequiredRole>({
  requiredRole,
  requiresRecentLogin,
  fields,
  secretFields = [],
  run,
}: ServerActionOptions<Fields, W>): (previous: FormState, form: FormData) => Promise<FormState> {
  return async (_previous, form) => {
    const raw = currentRequestContext();
    if (raw) raw.actionBegan = true;
    // A stranger can call an action with anything.
    const texts = form instanceof FormData ? readTextFields(form) : {};
    const values = Object.fromEntries(
      Object.entries(texts)
        .filter(([name]) => !secretFields.includes(name))
        .map(([name, text]) => [name, text.slice(0, MAX_ECHOED_LENGTH)]),
    );
    try {
      await ensurePrimary();
      const request = { headers: new Headers(await headers()) };
      assertSameOrigin(request);
      const identity = await readSessionCookies();
      const member = await readSql((sql) =>
        requireViewer(sql, identity, requiredRole, requiresRecentLogin),
      );
      const parsed = fields.safeParse(texts);
      if (!parsed.success) {
        const errors: Record<string, string> = {};
        for (const { path, message } of parsed.error.issues)
          errors[String(path[0] ?? "")] ??= message;
        const count = Object.keys(errors).length;
        return refusedState(
          new AppError(
            "invalid",
            count === 1 ? "One field is not right yet." : `${count} fields are not right yet.`,
          ),
          errors,
          values,
        );
      }
      const message = await run({
        input: parsed.data,
        member,
        sessionIds: identity,
        request,
        clientAddress: getClientAddress(request),
        write: (fn, options) =>
          writeAuthorized(
            identity,
            { who: requiredRole, recent: requiresRecentLogin, ...options },
            fn,
          ),
      });
      return { status: "done", message: message ?? null, code: null, errors: {}, values: {} };
    } catch (error) {
      if (!isAppError(error)) throw error;
      // The page with the form leaves as 503, so that nobody takes it for done: no cache, no robot, no monitor.
      if (raw && error.code === "unavailable") raw.retryAfterSeconds = error.retryAfterSeconds ?? 1;
      return refusedState(error, error.field ? { [error.field]: error.message } : {}, values);
    }
  };
}
