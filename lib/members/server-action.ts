// Wraps every server action: ensures the primary, checks CSRF and role, parses fields, runs the
// work, and returns the form state.

import type { z } from "zod";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { type WriteOptions, type Tx, read } from "#lib/db/database.ts";
import { findClientAddress } from "#lib/http/client-address.ts";
import { readRequestHeaders } from "#lib/http/cookies.ts";
import { assertSameOrigin } from "#lib/http/csrf.ts";
import type { FormState } from "#lib/http/form-state.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";
import { type SessionIds, readSessionCookies } from "./viewer.ts";
import {
  type MemberWithRole,
  type RequiredRole,
  requireViewer,
  writeAuthorized,
} from "./write-authorized.ts";

interface ActionContext<Input, R extends RequiredRole> {
  readonly input: Input;
  /**
   * The member, checked before the fields are parsed. null if `requiredRole` is "anyone"; then only
   * `write` passes the member.
   */
  readonly member: R extends "anyone" ? null : MemberWithRole<R>;
  readonly sessionIds: SessionIds;
  readonly request: { readonly headers: Headers };
  /** The client's IP address, for rate limits; null if unknown. */
  readonly clientAddress: string | null;
  /**
   * Runs writeAuthorized() with the action's requirements, which checks the role again inside the
   * transaction.
   */
  write<T>(
    fn: (tx: Tx, member: MemberWithRole<R>) => Promise<T> | T,
    options?: WriteOptions,
  ): Promise<T>;
}

interface ServerActionOptions<Fields extends z.ZodType, R extends RequiredRole> {
  /** Viewers without this role are refused before the fields are parsed. */
  readonly requiredRole: R;
  /** Requires a login within RECENT_LOGIN_MS. */
  readonly requiresRecentLogin?: boolean;
  readonly fields: Fields;
  /** Fields that are never sent back to the form, such as codes. */
  readonly secretFields?: readonly string[];
  /** Fields for a text file in UTF-8. `fields` gets its text, if a file was chosen. */
  readonly fileFields?: readonly string[];
  /**
   * Does the work and returns the success message. An AppError becomes a refusal; a redirect passes
   * through.
   */
  run(context: ActionContext<z.output<Fields>, R>): Promise<string | void>;
}

/** As long as the longest field of a form; Next limits the form itself. */
const MAX_ECHOED_LENGTH = 200_000;

function readTextFields(form: FormData, fileFields: readonly string[]): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of form)
    if (
      typeof value === "string" &&
      !name.startsWith("$ACTION") &&
      name !== "__proto__" &&
      !fileFields.includes(name)
    )
      texts[name] = value;
  return texts;
}

/** Returns the contents of the chosen files. Throws AppError(invalid) for a file that is not UTF-8. */
async function readFileFields(
  form: FormData,
  names: readonly string[],
): Promise<Record<string, string>> {
  const texts: Record<string, string> = {};
  for (const name of names) {
    const file = form.get(name);
    if (!(file instanceof File) || file.size === 0) continue;
    try {
      texts[name] = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    } catch {
      throw new AppError("invalid", "This file isn’t text in UTF-8. Save it as UTF-8 first.", {
        field: name,
      });
    }
  }
  return texts;
}

function echoFields(texts: Record<string, string>, secretFields: readonly string[]) {
  return Object.fromEntries(
    Object.entries(texts)
      .filter(([name]) => !secretFields.includes(name))
      .map(([name, text]) => [name, text.slice(0, MAX_ECHOED_LENGTH)]),
  );
}

function invalidFieldsState({ issues }: z.ZodError, values: Record<string, string>): FormState {
  const errors: Record<string, string> = {};
  for (const { path, message } of issues) errors[String(path[0] ?? "")] ??= message;
  const message = `Please fix the ${Object.keys(errors).length === 1 ? "field" : "fields"} above.`;
  return { status: "refused", message, code: "invalid", errors, values };
}

/**
 * Returns a server action for useActionState(). An AppError becomes the form's state, including the
 * user's input. Everything else is rethrown: a redirect, a replay, a bug.
 */
export function defineServerAction<Fields extends z.ZodType, R extends RequiredRole>({
  requiredRole,
  requiresRecentLogin,
  fields,
  secretFields = [],
  fileFields = [],
  run,
}: ServerActionOptions<Fields, R>): (previous: FormState, form: FormData) => Promise<FormState> {
  const requirement = { role: requiredRole, isRecentLogin: requiresRecentLogin };
  return async (_previous, form) => {
    const context = currentRequestContext();
    if (context) context.hasActionStarted = true;
    // Don't trust the type: an attacker can call an action with any arguments.
    const texts = form instanceof FormData ? readTextFields(form, fileFields) : {};
    const values = echoFields(texts, secretFields);
    try {
      await ensurePrimary();
      const request = { headers: await readRequestHeaders() };
      assertSameOrigin(request);
      const sessionIds = await readSessionCookies();
      const member =
        requiredRole === "anyone"
          ? null
          : await read((tx) => requireViewer(tx, sessionIds, requirement));
      const files = form instanceof FormData ? await readFileFields(form, fileFields) : {};
      const parsed = fields.safeParse({ ...texts, ...files });
      if (!parsed.success) return invalidFieldsState(parsed.error, values);
      const message = await run({
        input: parsed.data,
        member: member as ActionContext<never, R>["member"],
        sessionIds,
        request,
        clientAddress: findClientAddress(request),
        write: (fn, options) => writeAuthorized(sessionIds, { ...requirement, ...options }, fn),
      });
      return { status: "done", message: message ?? null, code: null, errors: {}, values: {} };
    } catch (error) {
      if (!isAppError(error)) throw error;
      const { code, field, message, retryAfterSeconds } = error;
      // Send the page with the form as 503, so that caches, crawlers and monitors don't treat it as
      // success.
      if (context && code === "unavailable") context.retryAfterSeconds = retryAfterSeconds ?? 1;
      return {
        status: "refused",
        message,
        code,
        errors: field ? { [field]: message } : {},
        values,
      };
    }
  };
}
