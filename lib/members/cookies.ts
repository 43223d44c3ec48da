// Defines the members' cookies: session, login and sign-up in progress, passkey ceremony, device link, anonymous reader.

import { sealData, unsealData } from "iron-session";
import { LRUCache } from "lru-cache";
import { DAY_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";
import { env } from "#lib/core/env.ts";
import { type ResponseCookie, defineCookie } from "#lib/http/cookies.ts";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import { signReaderId, unsignReaderId } from "#lib/reading/reader-id.ts";
import { DEVICE_LINK_TTL_MS } from "./device-link.ts";
import { CHALLENGE_TTL_MS } from "./login-challenge.ts";
import { CEREMONY_TTL_MS } from "./webauthn-challenge.ts";

/** A session ends this long after its last renewal. */
export const SESSION_DAYS = 365;
const SESSION_TTL_MS = SESSION_DAYS * DAY_MS;
/** How long a new member may take to choose a name and a team. */
export const SIGNUP_TTL_MS = 30 * MINUTE_MS;
/** The longest life that browsers grant a cookie (RFC 6265bis, 5.6.3). */
const READER_COOKIE_TTL_MS = 400 * DAY_MS;

export const sessionCookie = defineCookie("session", { ttlMs: SESSION_TTL_MS });

/** Ties the two requests of a passkey ceremony to one browser. */
export const ceremonyCookie = defineCookie("passkey", { ttlMs: CEREMONY_TTL_MS });

/** Carries the device link's token to the page that shows it: a URL would stay in histories and logs. */
export const deviceLinkCookie = defineCookie("device-code", { ttlMs: DEVICE_LINK_TTL_MS });

interface SessionCookie {
  readonly id: string;
  /** When the cookie was made; null in cookies made before this field existed. */
  readonly sealedAtMs: number | null;
  /** The session's expiry when the cookie was made, or null. A hint that saves a query: the row decides. */
  readonly untilMs: number | null;
}

// Unsealing costs a key derivation and a decryption, about as much as a small page.
// The cache holds an entry for one minute, so that the seal's own expiry still counts.
const unsealedCookies = new LRUCache<string, SessionCookie>({ max: 5_000, ttl: MINUTE_MS });

/** Returns what the session cookie `sealed` holds; null if it is forged, damaged or expired. */
export async function unsealSession(sealed: string | undefined): Promise<SessionCookie | null> {
  if (!sealed) return null;
  const cached = unsealedCookies.get(sealed);
  if (cached) return cached;
  const { id, sealedAtMs, untilMs } = await unsealData<{
    id?: string;
    sealedAtMs?: number;
    untilMs?: number;
  }>(sealed, { password: env.SESSION_SECRET, ttl: SESSION_TTL_MS / 1000 });
  if (typeof id !== "string") return null;
  const session = { id, sealedAtMs: sealedAtMs ?? null, untilMs: untilMs ?? null };
  unsealedCookies.set(sealed, session);
  return session;
}

/** Returns the cookie that carries a session id: sealed, HttpOnly, SameSite=Lax, 365 days. */
export async function sealSessionCookie({
  id,
  expiresAtMs,
}: {
  readonly id: string;
  readonly expiresAtMs: number;
}): Promise<ResponseCookie> {
  return sessionCookie.build(
    await sealData(
      { id, sealedAtMs: nowMs(), untilMs: expiresAtMs },
      { password: env.SESSION_SECRET, ttl: SESSION_TTL_MS / 1000 },
    ),
  );
}

type LoginFlow = "login" | "signup";

export interface LoginFlowState {
  /** 128 random bits, base64url. The database holds their hash. */
  readonly browserId: string;
  /** The path on this site to go to afterwards. */
  readonly next: string;
}

const loginFlowCookies = {
  login: defineCookie("login", { ttlMs: CHALLENGE_TTL_MS }),
  signup: defineCookie("signup", { ttlMs: SIGNUP_TTL_MS }),
};
const LOGIN_FLOW_PATTERN = /^([\w-]{22})\.([\w-]*)$/;

/** Returns what the cookie of a login or sign-up in progress holds; null if it is missing or malformed. */
export async function readLoginFlowCookie(flow: LoginFlow): Promise<LoginFlowState | null> {
  const value = await loginFlowCookies[flow].read();
  const [, browserId, next] = LOGIN_FLOW_PATTERN.exec(value ?? "") ?? [];
  return browserId === undefined || next === undefined
    ? null
    : { browserId, next: sanitizeRedirectPath(Buffer.from(next, "base64url").toString()) };
}

/** Ties a login or sign-up to this browser until it expires. Works only in an action. */
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

/** Returns the anonymous reader's id from a cookie jar; null if it is missing or not signed by this site. */
export function readReaderCookie(get: (name: string) => string | undefined): string | null {
  return unsignReaderId(get(getCookieName("reader")));
}

/** Returns the cookie that carries a reader's signed id: HttpOnly, SameSite=Lax, 400 days. */
export function buildReaderCookie(clientId: string): ResponseCookie {
  return readerCookie.build(signReaderId(clientId));
}

/** Returns the same cookie as the value of a Set-Cookie header. */
export function serializeReaderCookie(clientId: string): string {
  const { name, value, maxAge, secure } = buildReaderCookie(clientId);
  return `${name}=${value}; Path=/; Max-Age=${maxAge}; HttpOnly; SameSite=Lax${secure ? "; Secure" : ""}`;
}
