// The cookies of a log-in and of a sign-up under way: a random id that ties them to this browser, and where to go after.

import { cookies } from "#lib/http/next-request.ts";
import { CHALLENGE_TTL_MS } from "#lib/members/login-challenge.ts";
import { SIGNUP_TTL_MS } from "#lib/members/sign-up.ts";
import { env } from "#lib/core/env.ts";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import { getCookieFlags } from "#lib/members/session/session.ts";

type LoginFlow = "login" | "signup";

export interface LoginFlowCookie {
  /** 128 random bits, base64url. The database holds its hash. */
  readonly browserId: string;
  /** A path of this site. */
  readonly next: string;
}

const TTL_MS: Record<LoginFlow, number> = { login: CHALLENGE_TTL_MS, signup: SIGNUP_TTL_MS };
const COOKIE_PATTERN = /^([\w-]{22})\.([\w-]*)$/;

const getCookieName = (name: LoginFlow) =>
  env.SITE_URL.startsWith("https:") ? `__Host-${name}` : name;

/** What the cookie holds; null when there is none or it is not one of ours. */
export async function readLoginFlowCookie(name: LoginFlow): Promise<LoginFlowCookie | null> {
  const [, browserId, next] =
    COOKIE_PATTERN.exec((await cookies()).get(getCookieName(name))?.value ?? "") ?? [];
  return browserId === undefined || next === undefined
    ? null
    : { browserId, next: sanitizeRedirectPath(Buffer.from(next, "base64url").toString()) };
}

/** Gives the browser the cookie: httpOnly, lax, until the log-in or sign-up has expired. In an action. */
export async function setLoginFlowCookie(
  name: LoginFlow,
  { browserId, next }: LoginFlowCookie,
): Promise<void> {
  (await cookies()).set({
    name: getCookieName(name),
    value: `${browserId}.${Buffer.from(next).toString("base64url")}`,
    ...getCookieFlags(),
    maxAge: TTL_MS[name] / 1000,
  });
}

/** Takes the cookie away, once it is worth nothing more. */
export async function clearLoginFlowCookie(name: LoginFlow): Promise<void> {
  (await cookies()).set({ name: getCookieName(name), value: "", ...getCookieFlags(), maxAge: 0 });
}
