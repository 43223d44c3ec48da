"use server";
// Logging in by mail: ask for the mail, ask again, use its link, use its code.

import { refresh } from "next/cache";
import { redirect } from "next/navigation";
import { z } from "zod";
import { readBriefCookie, setBriefCookie } from "./brief-cookie.ts";
import { letIn, sendOn } from "./let-in.ts";
import { formAction } from "#lib/action/form-action.ts";
import { AppError } from "#lib/base/errors.ts";
import { email } from "#lib/base/fields.ts";
import type { Sql } from "#lib/db/connection.ts";
import { snapshotSql } from "#lib/db/database.ts";
import {
  type NewChallenge,
  askedAddress,
  consumeByCode,
  consumeByLink,
  dropChallenge,
  startChallenge,
} from "#lib/members/login-challenge.ts";
import { type LoginLimits, createLoginLimits } from "#lib/members/login-limits.ts";
import { loginMail, sendLoginMail } from "#lib/members/login-mail.ts";
import { redirectTarget } from "#lib/session/redirect-target.ts";

// One per process, also where development loads this module anew.
const shared = globalThis as { __lecternLoginLimits?: LoginLimits };
const limits = () => (shared.__lecternLoginLimits ??= createLoginLimits());

const next = z
  .string()
  .max(2_000)
  .optional()
  .catch(undefined)
  .transform((value) => redirectTarget(value));
const token = z
  .string({ error: "The link is not whole." })
  .max(100, { error: "The link is not whole." });
const code = z
  .string({ error: "The code is missing." })
  .max(200, { error: "The code has six digits." })
  .transform((text) => text.normalize("NFKC").replace(/[\s-]/g, ""))
  .refine((text) => /^\d{6}$/.test(text), { error: "The code has six digits." });

const TOO_OFTEN =
  "This code was tried too often. The link in the mail still works, or ask for a new mail.";

interface Asked {
  readonly email: string;
  readonly next: string;
  readonly isAgain?: boolean;
  readonly address: string | null;
  write<T>(fn: (sql: Sql) => T): Promise<T>;
}

/** Sends a mail and ties the log-in to this browser. The same work and the same answer for every address. Always throws: the redirect, or AppError. */
async function sendMailFor({
  email,
  next,
  isAgain = false,
  address,
  write,
}: Asked): Promise<never> {
  const endSending = limits().beginSending({ address });
  try {
    const challenge = await sendChallenge({ email, next, address, write });
    // What this browser asked for before is left alone: whoever gets that mail still logs in by it until it expires.
    await setBriefCookie("login", { browserId: challenge.browserId, next });
  } finally {
    endSending();
  }
  redirect(isAgain ? "/login/code?again" : "/login/code");
}

async function sendChallenge({ email, next, address, write }: Asked): Promise<NewChallenge> {
  const giveBack = limits().takeMail({ email, address });
  const challenge = await write((sql) => startChallenge(sql, { email }));
  try {
    await sendLoginMail(
      loginMail({ ...challenge, to: email, next: next === redirectTarget(null) ? null : next }),
    );
  } catch (error) {
    giveBack();
    await write((sql) => dropChallenge(sql, challenge));
    throw error;
  }
  return challenge;
}

export const askForMail = formAction({
  who: "anyone",
  fields: z.object({ email: email(), next }),
  run: ({ input, address, write }) => sendMailFor({ ...input, address, write }),
});

export const askAgain = formAction({
  who: "anyone",
  fields: z.object({}),
  async run({ address, write }) {
    const cookie = await readBriefCookie("login");
    const email = cookie && (await snapshotSql((sql) => askedAddress(sql, cookie)));
    if (!email)
      throw new AppError(
        "conflict",
        "It is too late to send that mail again. Begin anew on the log-in page.",
      );
    return sendMailFor({ email, next: cookie.next, isAgain: true, address, write });
  },
});

export const logInByLink = formAction({
  who: "anyone",
  fields: z.object({ token, next }),
  secret: ["token"],
  async run({ input, identity, request, write }) {
    const cookie = await readBriefCookie("login");
    const result = await write(
      (sql) => {
        const proven = consumeByLink(sql, {
          token: input.token,
          browserId: cookie?.browserId ?? null,
        });
        return proven === null ? null : letIn(sql, { email: proven, identity, request });
      },
      { durable: true },
    );
    if (!result)
      throw new AppError("conflict", "This link has expired or was used. Ask for a new one.");
    return sendOn(result, cookie?.next ?? input.next);
  },
});

export const logInByCode = formAction({
  who: "anyone",
  // With the token of a link: that is another device than the one that asked.
  fields: z.object({ code, token: token.optional(), next }),
  secret: ["code", "token"],
  async run({ input, identity, request, address, write }) {
    limits().takeTry({ address });
    const cookie = await readBriefCookie("login");
    const key = input.token === undefined ? cookie : { token: input.token };
    if (!key)
      throw new AppError(
        "conflict",
        "This browser has not asked for a code, or did so too long ago. Ask for a new one.",
      );
    const result = await write(
      (sql) => {
        const verdict = consumeByCode(sql, { ...key, code: input.code });
        return verdict.outcome === "proven"
          ? letIn(sql, { email: verdict.email, identity, request })
          : verdict;
      },
      { durable: true },
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
            ? TOO_OFTEN
            : "This code was tried too often. Ask for a new mail.",
          { field: "code" },
        );
      }
      const left = `${result.triesLeft} ${result.triesLeft === 1 ? "try is" : "tries are"} left.`;
      throw new AppError("invalid", `That code is not right. ${left}`, { field: "code" });
    }
    return sendOn(result, input.token === undefined && cookie ? cookie.next : input.next);
  },
});
