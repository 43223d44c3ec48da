"use server";
// Logging in by mail: ask for the mail, ask again, use its link, use its code.

import { refresh } from "next/cache";
import { redirect } from "next/navigation";
import { z } from "zod";
import { readLoginFlowCookie, setLoginFlowCookie } from "#lib/members/cookies/login-flow-cookie.ts";
import { completeLogin, redirectAfterLogin } from "./complete-login.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { AppError } from "#lib/core/errors.ts";
import { emailField } from "#lib/core/validate.ts";
import type { Sql } from "#lib/db/connection.ts";
import { readSql } from "#lib/db/database.ts";
import {
  type NewChallenge,
  pendingLoginEmail,
  consumeLoginCode,
  consumeLoginLink,
  cancelChallenge,
  startChallenge,
} from "#lib/members/login-challenge.ts";
import { type LoginLimiter, createLoginLimiter } from "#lib/members/login-limiter.ts";
import { buildLoginEmail, sendLoginEmail } from "#lib/members/login-email.ts";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";

// One per process, also where development loads this module anew.
const shared = globalThis as { __lecternLoginLimits?: LoginLimiter };
const getLoginLimiter = () => (shared.__lecternLoginLimits ??= createLoginLimiter());

const nextField = z
  .string()
  .max(2_000)
  .optional()
  .catch(undefined)
  .transform((value) => sanitizeRedirectPath(value));
const tokenField = z
  .string({ error: "The link is not whole." })
  .max(100, { error: "The link is not whole." });
const codeField = z
  .string({ error: "The code is missing." })
  .max(200, { error: "The code has six digits." })
  .transform((text) => text.normalize("NFKC").replace(/[\s-]/g, ""))
  .refine((text) => /^\d{6}$/.test(text), { error: "The code has six digits." });

const TOO_MANY_ATTEMPTS =
  "This code was tried too often. The link in the mail still works, or ask for a new mail.";

interface LoginEmailRequest {
  readonly email: string;
  readonly next: string;
  readonly isResend?: boolean;
  readonly address: string | null;
  write<T>(fn: (sql: Sql) => T): Promise<T>;
}

/** Sends a mail and ties the log-in to this browser. The same work and the same answer for every address. Always throws: the redirect, or AppError. */
async function sendEmailAndRedirect({
  email,
  next,
  isResend = false,
  address,
  write,
}: LoginEmailRequest): Promise<never> {
  const endSending = getLoginLimiter().beginSending({ address });
  try {
    const challenge = await sendChallenge({ email, next, address, write });
    // What this browser asked for before is left alone: whoever gets that mail still logs in by it until it expires.
    await setLoginFlowCookie("login", { browserId: challenge.browserId, next });
  } finally {
    endSending();
  }
  redirect(isResend ? "/login/code?again" : "/login/code");
}

async function sendChallenge({
  email,
  next,
  address,
  write,
}: LoginEmailRequest): Promise<NewChallenge> {
  const giveBack = getLoginLimiter().takeMail({ email, address });
  const challenge = await write((sql) => startChallenge(sql, { email }));
  try {
    await sendLoginEmail(
      buildLoginEmail({
        ...challenge,
        to: email,
        next: next === sanitizeRedirectPath(null) ? null : next,
      }),
    );
  } catch (error) {
    giveBack();
    await write((sql) => cancelChallenge(sql, challenge));
    throw error;
  }
  return challenge;
}

export const requestLoginEmail = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({ email: emailField(), next: nextField }),
  run: ({ input, clientAddress, write }) =>
    sendEmailAndRedirect({ ...input, address: clientAddress, write }),
});

export const resendLoginEmail = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({}),
  async run({ clientAddress, write }) {
    const cookie = await readLoginFlowCookie("login");
    const email = cookie && (await readSql((sql) => pendingLoginEmail(sql, cookie)));
    if (!email)
      throw new AppError(
        "conflict",
        "It is too late to send that mail again. Begin anew on the log-in page.",
      );
    return sendEmailAndRedirect({
      email,
      next: cookie.next,
      isResend: true,
      address: clientAddress,
      write,
    });
  },
});

export const logInByLink = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({ token: tokenField, next: nextField }),
  secretFields: ["token"],
  async run({ input, sessionIds, request, write }) {
    const cookie = await readLoginFlowCookie("login");
    const result = await write(
      (sql) => {
        const proven = consumeLoginLink(sql, {
          token: input.token,
          browserId: cookie?.browserId ?? null,
        });
        return proven === null
          ? null
          : completeLogin(sql, { email: proven, identity: sessionIds, request });
      },
      { isDurable: true },
    );
    if (!result)
      throw new AppError("conflict", "This link has expired or was used. Ask for a new one.");
    return redirectAfterLogin(result, cookie?.next ?? input.next);
  },
});

export const logInByCode = defineServerAction({
  requiredRole: "anyone",
  // With the token of a link: that is another device than the one that asked.
  fields: z.object({ code: codeField, token: tokenField.optional(), next: nextField }),
  secretFields: ["code", "token"],
  async run({ input, sessionIds, request, clientAddress, write }) {
    getLoginLimiter().takeTry({ address: clientAddress });
    const cookie = await readLoginFlowCookie("login");
    const key = input.token === undefined ? cookie : { token: input.token };
    if (!key)
      throw new AppError(
        "conflict",
        "This browser has not asked for a code, or did so too long ago. Ask for a new one.",
      );
    const result = await write(
      (sql) => {
        const verdict = consumeLoginCode(sql, { ...key, code: input.code });
        return verdict.outcome === "proven"
          ? completeLogin(sql, { email: verdict.email, identity: sessionIds, request })
          : verdict;
      },
      { isDurable: true },
    );
    // Refused only now: what is thrown inside a transaction undoes it, and with it the count of the tries.
    if ("outcome" in result) {
      if (result.outcome === "gone")
        throw new AppError("conflict", "This code has expired or was used. Ask for a new one.", {
          field: "code",
        });
      if (result.outcome === "spent" || result.triesLeft === 0) {
        // The page then has no field for a code any more.
        refresh();
        throw new AppError(
          "conflict",
          input.token === undefined
            ? TOO_MANY_ATTEMPTS
            : "This code was tried too often. Ask for a new mail.",
          { field: "code" },
        );
      }
      const left = `${result.triesLeft} ${result.triesLeft === 1 ? "try is" : "tries are"} left.`;
      throw new AppError("invalid", `That code is not right. ${left}`, { field: "code" });
    }
    return redirectAfterLogin(
      result,
      input.token === undefined && cookie ? cookie.next : input.next,
    );
  },
});
