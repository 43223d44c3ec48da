// Defines the members' cookies: session, login and sign-up in progress, passkey ceremony, device
// link, anonymous reader.

import { sealData, unsealData } from "iron-session";
import { LRUCache } from "lru-cache";
import { DAY_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";
import { env } from "#lib/core/env.ts";
import { type ResponseCookie, defineCookie, serializeCookie } from "#lib/http/cookies.ts";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import { signReaderId, unsignReaderId } from "#lib/reading/reader-id.ts";
import { DEVICE_LINK_TTL_MS } from "./device-link.ts";
import { CHALLENGE_TTL_MS } from "./login-challenge.ts";
import { CEREMONY_TTL_MS } from "./webauthn-challenge.ts";

/** A session expires this long after its last renewal. */
export const SESSION_DAYS = 365;
const SESSION_TTL_MS = SESSION_DAYS * DAY_MS;
/** How long a new member has to choose a name and a team. */
export const SIGNUP_TTL_MS = 30 * MINUTE_MS;
/** The longest lifetime that browsers allow a cookie (RFC 6265bis, 5.6.3). */
const READER_COOKIE_TTL_MS = 400 * DAY_MS;

export const sessionCookie = defineCookie("session", { ttlMs: SESSION_TTL_MS });

/** Binds the two requests of a passkey ceremony to one browser. */
export const ceremonyCookie = defineCookie("passkey", { ttlMs: CEREMONY_TTL_MS });

/**
 * Carries the device link's token to the page that shows it, because URLs stay in browser history
 * and logs.
 */
export const deviceLinkCookie = defineCookie("device-code", { ttlMs: DEVICE_LINK_TTL_MS });

export interface SessionCookie {
  readonly id: string;
  /** When the cookie was sealed; null in cookies without this field. */
  readonly sealedAtMs: number | null;
  /**
   * The session's expiry when the cookie was sealed, or null. A hint that saves a query; the
   * database decides.
   */
  readonly untilMs: number | null;
  /** Whether the member was an admin at login: a hint for the header, which proves nothing. */
  readonly isAdmin: boolean;
  /** True if it is sealed with a secret that is being replaced. */
  readonly isOutdated: boolean;
}

// Unsealing derives a key and decrypts, which costs as much as a small page. The TTL is one minute,
// so an expired seal is accepted for at most one minute more.
const unsealedCookies = new LRUCache<string, SessionCookie>({ max: 5_000, ttl: MINUTE_MS });

/** Clears the cached contents, which depend on the secrets. For tests. */
export function forgetUnsealedCookies(): void {
  unsealedCookies.clear();
}

/**
 * Returns the contents of the session cookie `sealed`; null if it is forged, damaged or expired.
 */
export async function unsealSession(sealed: string | undefined): Promise<SessionCookie | null> {
  if (!sealed) return null;
  const cached = unsealedCookies.get(sealed);
  if (cached) return cached;
  for (const password of [env.SESSION_SECRET, ...env.ACCEPTED_SESSION_SECRETS]) {
    // The result is empty if the password is wrong.
    const { id, sealedAtMs, untilMs, isAdmin } = await unsealData<{
      id?: string;
      sealedAtMs?: number;
      untilMs?: number;
      isAdmin?: boolean;
    }>(sealed, { password, ttl: SESSION_TTL_MS / 1000 });
    if (typeof id !== "string") continue;
    const session = {
      id,
      sealedAtMs: sealedAtMs ?? null,
      untilMs: untilMs ?? null,
      isAdmin: isAdmin === true,
      isOutdated: password !== env.SESSION_SECRET,
    };
    unsealedCookies.set(sealed, session);
    return session;
  }
  return null;
}

/** Returns the session cookie: sealed, HttpOnly, SameSite=Lax, valid for 365 days. */
export async function sealSessionCookie({
  id,
  expiresAtMs,
  isAdmin = false,
}: {
  readonly id: string;
  readonly expiresAtMs: number;
  readonly isAdmin?: boolean;
}): Promise<ResponseCookie> {
  return sessionCookie.build(
    await sealData(
      { id, sealedAtMs: nowMs(), untilMs: expiresAtMs, ...(isAdmin && { isAdmin }) },
      { password: env.SESSION_SECRET, ttl: SESSION_TTL_MS / 1000 },
    ),
  );
}

type LoginFlow = "login" | "signup";

export interface LoginFlowState {
  /** 128 random bits, base64url. The database stores the hash. */
  readonly browserId: string;
  /** The path on this site to go to afterwards. */
  readonly next: string;
}

const loginFlowCookies = {
  login: defineCookie("login", { ttlMs: CHALLENGE_TTL_MS }),
  signup: defineCookie("signup", { ttlMs: SIGNUP_TTL_MS }),
};
const LOGIN_FLOW_PATTERN = /^([\w-]{22})\.([\w-]*)$/;

/**
 * Returns the state of the login or sign-up in progress; null if its cookie is missing or
 * malformed.
 */
export async function readLoginFlowCookie(flow: LoginFlow): Promise<LoginFlowState | null> {
  const value = await loginFlowCookies[flow].read();
  const [, browserId, next] = LOGIN_FLOW_PATTERN.exec(value ?? "") ?? [];
  return browserId === undefined || next === undefined
    ? null
    : { browserId, next: sanitizeRedirectPath(Buffer.from(next, "base64url").toString()) };
}

/**
 * Binds a login or sign-up to this browser until it expires. Works only in a server action or route
 * handler.
 */
export function setLoginFlowCookie(
  flow: LoginFlow,
  { browserId, next }: LoginFlowState,
): Promise<void> {
  return loginFlowCookies[flow].set(`${browserId}.${Buffer.from(next).toString("base64url")}`);
}

export function expireLoginFlowCookie(flow: LoginFlow): Promise<void> {
  return loginFlowCookies[flow].expire();
}

const readerCookie = defineCookie("reader", { ttlMs: READER_COOKIE_TTL_MS });

/**
 * Returns the anonymous reader's ID from the cookies; null if it is missing or not signed by this
 * site.
 */
export function readReaderCookie(get: (name: string) => string | undefined): string | null {
  return unsignReaderId(get(getCookieName("reader")));
}

/** Returns the cookie with a reader's signed ID: HttpOnly, SameSite=Lax, valid for 400 days. */
export function buildReaderCookie(clientId: string): ResponseCookie {
  return readerCookie.build(signReaderId(clientId));
}

/** Returns the reader cookie as a Set-Cookie header value. */
export function serializeReaderCookie(clientId: string): string {
  return serializeCookie(buildReaderCookie(clientId));
}
