"use server";
// Logs in by email: requests the email, resends it, and accepts its link or its code.

import { refresh } from "next/cache";
import { redirect } from "next/navigation";
import { z } from "zod";
import { AppError } from "#lib/core/errors.ts";
import { emailField } from "#lib/core/validate.ts";
import { type Tx, read } from "#lib/db/database.ts";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import { assertSiteUrl } from "#lib/http/site-url.ts";
import {
  expireLoginFlowCookie,
  readLoginFlowCookie,
  setLoginFlowCookie,
} from "#lib/members/cookies.ts";
import { getLoginLimiter } from "#lib/members/limiters.ts";
import {
  type LoginResult,
  completeLogin,
  loginRedirectUrl,
  setSessionCookie,
} from "#lib/members/log-in.ts";
import {
  type CodeVerdict,
  type NewChallenge,
  cancelChallenge,
  consumeLoginCode,
  consumeLoginLink,
  pendingLoginEmail,
  startChallenge,
} from "#lib/members/login-challenge.ts";
import { buildLoginEmail, sendLoginEmail } from "#lib/members/login-email.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { findMemberEmail } from "#lib/members/sign-up.ts";

const nextField = z
  .string()
  .max(2_000)
  .optional()
  .catch(undefined)
  .transform((value) => sanitizeRedirectPath(value));
const tokenField = z
  .string({ error: "This link is incomplete." })
  .max(100, { error: "This link is incomplete." });
const codeField = z
  .string({ error: "Enter the code." })
  .max(200, { error: "Enter all six digits." })
  .transform((text) => text.normalize("NFKC").replace(/[\s-]/g, ""))
  .refine((text) => /^\d{6}$/.test(text), { error: "Enter all six digits." });

interface LoginEmailRequest {
  readonly email: string;
  readonly next: string;
  readonly isResend?: boolean;
  readonly address: string | null;
  write<T>(fn: (tx: Tx) => Promise<T>): Promise<T>;
}

/**
 * Sends the email and ties the login to this browser, the same way for every address. Throws the
 * redirect, or an AppError.
 */
async function sendEmailAndRedirect(request: LoginEmailRequest): Promise<never> {
  assertSiteUrl();
  const { next, isResend = false, address } = request;
  const releaseSendSlot = getLoginLimiter().acquireSendSlot({ address });
  try {
    const { browserId } = await sendChallenge(request);
    // An earlier challenge of this browser stays valid until it expires, because its email may still arrive.
    await setLoginFlowCookie("login", { browserId, next });
  } finally {
    releaseSendSlot();
  }
  redirect(isResend ? "/login/code?again" : "/login/code");
}

async function sendChallenge({
  email,
  next,
  address,
  write,
}: LoginEmailRequest): Promise<NewChallenge> {
  const refund = getLoginLimiter().consumeEmail({ email, address });
  const challenge = await write((tx) => startChallenge(tx, { email }));
  try {
    await sendLoginEmail(
      buildLoginEmail({
        ...challenge,
        to: email,
        next: next === sanitizeRedirectPath(null) ? null : next,
      }),
    );
  } catch (error) {
    refund();
    await write((tx) => cancelChallenge(tx, challenge));
    throw error;
  }
  return challenge;
}

/**
 * Returns the address to send to. An address that no sign-up accepts belongs to a migrated member,
 * or throws AppError(invalid).
 */
async function resolveEmail(typed: string | undefined): Promise<string> {
  const parsed = emailField().safeParse(typed);
  if (parsed.success) return parsed.data;
  const email = typed && (await read((tx) => findMemberEmail(tx, typed.trim())));
  if (email) return email;
  throw new AppError("invalid", parsed.error.issues[0]!.message, { field: "email" });
}

/** Sets the cookies of a login or sign-up, after the commit, and throws the redirect. */
async function redirectAfterLogin(result: LoginResult, next: string): Promise<never> {
  await expireLoginFlowCookie("login");
  if ("signupBrowserId" in result) {
    await setLoginFlowCookie("signup", { browserId: result.signupBrowserId, next });
    redirect("/signup");
  }
  await setSessionCookie(result.session);
  redirect(loginRedirectUrl(next));
}

/** Returns the error for a rejected code. `isOtherDevice`: it came with a link's token. */
function refusedCodeError(
  verdict: Exclude<CodeVerdict, { outcome: "proven" }>,
  isOtherDevice: boolean,
): AppError {
  if (verdict.outcome === "expired")
    return new AppError("conflict", "This code has expired. Request a new one.", { field: "code" });
  if (verdict.outcome === "wrong" && verdict.attemptsLeft > 0) {
    const { attemptsLeft } = verdict;
    return new AppError(
      "invalid",
      `Wrong code. ${attemptsLeft} ${attemptsLeft === 1 ? "attempt" : "attempts"} left.`,
      { field: "code" },
    );
  }
  return new AppError(
    "conflict",
    isOtherDevice
      ? "Too many attempts. Request a new email."
      : "Too many attempts. Use the link in the email or request a new one.",
    { field: "code" },
  );
}

export const requestLoginEmail = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({ email: z.string().max(1_000).optional(), next: nextField }),
  run: async ({ input, clientAddress, write }) =>
    sendEmailAndRedirect({
      email: await resolveEmail(input.email),
      next: input.next,
      address: clientAddress,
      write,
    }),
});

export const resendLoginEmail = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({}),
  async run({ clientAddress, write }) {
    const cookie = await readLoginFlowCookie("login");
    const email = cookie && (await read((tx) => pendingLoginEmail(tx, cookie)));
    if (!email) throw new AppError("conflict", "This login has expired. Start again.");
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
      async (tx) => {
        const email = await consumeLoginLink(tx, {
          token: input.token,
          browserId: cookie?.browserId ?? null,
        });
        return email === null ? null : await completeLogin(tx, { email, sessionIds, request });
      },
      { isDurable: true },
    );
    if (!result) {
      // Renders the page again, which then offers a new email.
      refresh();
      throw new AppError("conflict", "This link has expired. Request a new one.");
    }
    return redirectAfterLogin(result, cookie?.next ?? input.next);
  },
});

export const logInByCode = defineServerAction({
  requiredRole: "anyone",
  // The token is set if the link was opened on a different device than the one that requested it.
  fields: z.object({ code: codeField, token: tokenField.optional(), next: nextField }),
  secretFields: ["code", "token"],
  async run({ input, sessionIds, request, clientAddress, write }) {
    getLoginLimiter().consumeAttempt({ address: clientAddress });
    const cookie = await readLoginFlowCookie("login");
    const isOtherDevice = input.token !== undefined;
    const key = input.token === undefined ? cookie : { token: input.token };
    if (!key) throw new AppError("conflict", "This code has expired. Request a new one.");
    const result = await write(
      async (tx) => {
        const verdict = await consumeLoginCode(tx, { ...key, code: input.code });
        return verdict.outcome === "proven"
          ? await completeLogin(tx, { email: verdict.email, sessionIds, request })
          : verdict;
      },
      { isDurable: true },
    );
    // Throws after the commit: an error inside the transaction would roll back the count of attempts.
    if ("outcome" in result) {
      const error = refusedCodeError(result, isOtherDevice);
      // Renders the page again, without the code field. /login/code keeps it if the code has expired,
      // because the email can be resent there.
      if (error.code === "conflict" && (isOtherDevice || result.outcome !== "expired")) refresh();
      throw error;
    }
    return redirectAfterLogin(result, !isOtherDevice && cookie ? cookie.next : input.next);
  },
});
