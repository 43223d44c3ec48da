// The cookie that ties the two requests of a passkey's ceremony to one browser.

import { cookies } from "#lib/http/next-request.ts";
import { env } from "#lib/core/env.ts";
import { CEREMONY_TTL_MS } from "#lib/members/webauthn-challenge.ts";
import { getCookieFlags } from "#lib/members/session/session.ts";

const getCookieName = () => (env.SITE_URL.startsWith("https:") ? "__Host-passkey" : "passkey");

export async function readCeremonyCookie(): Promise<string | undefined> {
  return (await cookies()).get(getCookieName())?.value;
}

export async function setCeremonyCookie(browser: string): Promise<void> {
  (await cookies()).set({
    name: getCookieName(),
    value: browser,
    ...getCookieFlags(),
    maxAge: CEREMONY_TTL_MS / 1000,
  });
}

export async function clearCeremonyCookie(): Promise<void> {
  (await cookies()).set({ name: getCookieName(), value: "", ...getCookieFlags(), maxAge: 0 });
}
