// The one wrapper of every server action: primary → origin → member → fields → work → state of the form.

import { headers } from "next/headers";
import type { z } from "zod";
import { AppError, isAppError } from "../base/errors.ts";
import type { Sql } from "../db/connection.ts";
import { type WriteOptions, snapshotSql } from "../db/database.ts";
import { ensurePrimary } from "../primary/ensure-primary.ts";
import { currentRequest } from "../base/request-context.ts";
import { clientAddress } from "../session/client-address.ts";
import { assertSameOrigin } from "../session/same-origin.ts";
import { type Identity, readIdentity } from "../session/session.ts";
import type { FormState } from "./form-state.ts";
import { type MemberOf, type Who, memberOf, writeAs } from "./write-as.ts";

interface Context<Input, W extends Who> {
  readonly input: Input;
  readonly member: MemberOf<W>;
  readonly identity: Identity;
  readonly request: { readonly headers: Headers };
  /** The client's address for limits, null where none is known. */
  readonly address: string | null;
  /** writeAs for whom the action is for: rights are checked again inside. */
  write<T>(fn: (sql: Sql, member: MemberOf<W>) => T, options?: WriteOptions): Promise<T>;
}

interface Spec<Fields extends z.ZodType, W extends Who> {
  /** Whom the action is for. Everybody else is refused before the fields are looked at. */
  readonly who: W;
  /** Wants a log-in of the last 15 minutes. */
  readonly recent?: boolean;
  readonly fields: Fields;
  /** Fields that never come back to the form, such as codes. */
  readonly secret?: readonly string[];
  /** Does the work. What it returns is shown as done; an AppError that it throws as refused; a redirect passes through. */
  run(context: Context<z.output<Fields>, W>): Promise<string | void>;
}

const MAX_KEPT = 5_000;

function textsOf(form: FormData): Record<string, string> {
  const texts: Record<string, string> = {};
  for (const [name, value] of form)
    if (typeof value === "string" && !name.startsWith("$ACTION") && name !== "__proto__")
      texts[name] = value;
  return texts;
}

function refused(
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
export function formAction<Fields extends z.ZodType, W extends Who>({
  who,
  recent,
  fields,
  secret = [],
  run,
}: Spec<Fields, W>): (previous: FormState, form: FormData) => Promise<FormState> {
  return async (_previous, form) => {
    const raw = currentRequest();
    if (raw) raw.actionBegan = true;
    // A stranger can call an action with anything.
    const texts = form instanceof FormData ? textsOf(form) : {};
    const values = Object.fromEntries(
      Object.entries(texts)
        .filter(([name]) => !secret.includes(name))
        .map(([name, text]) => [name, text.slice(0, MAX_KEPT)]),
    );
    try {
      await ensurePrimary();
      const request = { headers: new Headers(await headers()) };
      assertSameOrigin(request);
      const identity = await readIdentity();
      const member = await snapshotSql((sql) => memberOf(sql, identity, who, recent));
      const parsed = fields.safeParse(texts);
      if (!parsed.success) {
        const errors: Record<string, string> = {};
        for (const { path, message } of parsed.error.issues)
          errors[String(path[0] ?? "")] ??= message;
        const count = Object.keys(errors).length;
        return refused(
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
        identity,
        request,
        address: clientAddress(request),
        write: (fn, options) => writeAs(identity, { who, recent, ...options }, fn),
      });
      return { status: "done", message: message ?? null, code: null, errors: {}, values: {} };
    } catch (error) {
      if (!isAppError(error)) throw error;
      // The page with the form leaves as 503, so that nobody takes it for done: no cache, no robot, no monitor.
      if (raw && error.code === "unavailable") raw.retryAfterSeconds = error.retryAfterSeconds ?? 1;
      return refused(error, error.field ? { [error.field]: error.message } : {}, values);
    }
  };
}
