// The cookie that ties the two requests of a passkey's ceremony to one browser.

import { cookies } from "next/headers";
import { env } from "#lib/base/env.ts";
import { CEREMONY_MS } from "#lib/members/passkeys-ceremony.ts";
import { cookieFlags } from "#lib/session/session.ts";

const name = () => (env.SITE_URL.startsWith("https:") ? "__Host-passkey" : "passkey");

export async function readCeremonyCookie(): Promise<string | undefined> {
  return (await cookies()).get(name())?.value;
}

export async function setCeremonyCookie(browser: string): Promise<void> {
  (await cookies()).set({
    name: name(),
    value: browser,
    ...cookieFlags(),
    maxAge: CEREMONY_MS / 1000,
  });
}

export async function clearCeremonyCookie(): Promise<void> {
  (await cookies()).set({ name: name(), value: "", ...cookieFlags(), maxAge: 0 });
}
