// Where the code for another device waits between the action that makes it and the page that shows it: not in an address,
// which is kept in histories and logs.

import { cookies } from "next/headers";
import { env } from "#lib/base/env.ts";
import { DEVICE_LINK_MS } from "#lib/members/device-link.ts";
import { cookieFlags } from "#lib/session/session.ts";

const name = () => (env.SITE_URL.startsWith("https:") ? "__Host-device-code" : "device-code");

export async function readCodeCookie(): Promise<string | undefined> {
  return (await cookies()).get(name())?.value;
}

export async function setCodeCookie(token: string): Promise<void> {
  (await cookies()).set({
    name: name(),
    value: token,
    ...cookieFlags(),
    maxAge: DEVICE_LINK_MS / 1000,
  });
}
