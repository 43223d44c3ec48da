// The cookies of a log-in and of a sign-up under way: a random id that ties them to this browser, and where to go after.

import { cookies } from "next/headers";
import { CHALLENGE_MS } from "#lib/members/login-challenge.ts";
import { SIGNUP_MS } from "#lib/members/sign-up.ts";
import { env } from "#lib/base/env.ts";
import { redirectTarget } from "#lib/session/redirect-target.ts";
import { cookieFlags } from "#lib/session/session.ts";

type Name = "login" | "signup";

export interface BriefCookie {
  /** 128 random bits, base64url. The database holds its hash. */
  readonly browserId: string;
  /** A path of this site. */
  readonly next: string;
}

const LIVES_MS: Record<Name, number> = { login: CHALLENGE_MS, signup: SIGNUP_MS };
const SHAPE = /^([\w-]{22})\.([\w-]*)$/;

const fullName = (name: Name) => (env.SITE_URL.startsWith("https:") ? `__Host-${name}` : name);

/** What the cookie holds; null when there is none or it is not one of ours. */
export async function readBriefCookie(name: Name): Promise<BriefCookie | null> {
  const [, browserId, next] = SHAPE.exec((await cookies()).get(fullName(name))?.value ?? "") ?? [];
  return browserId === undefined || next === undefined
    ? null
    : { browserId, next: redirectTarget(Buffer.from(next, "base64url").toString()) };
}

/** Gives the browser the cookie: httpOnly, lax, until the log-in or sign-up has expired. In an action. */
export async function setBriefCookie(name: Name, { browserId, next }: BriefCookie): Promise<void> {
  (await cookies()).set({
    name: fullName(name),
    value: `${browserId}.${Buffer.from(next).toString("base64url")}`,
    ...cookieFlags(),
    maxAge: LIVES_MS[name] / 1000,
  });
}

/** Takes the cookie away, once it is worth nothing more. */
export async function clearBriefCookie(name: Name): Promise<void> {
  (await cookies()).set({ name: fullName(name), value: "", ...cookieFlags(), maxAge: 0 });
}
