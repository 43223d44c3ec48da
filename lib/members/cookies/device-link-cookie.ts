// Where the code for another device waits between the action that makes it and the page that shows it: not in an address,
// which is kept in histories and logs.

import { cookies } from "#lib/http/next-request.ts";
import { env } from "#lib/core/env.ts";
import { DEVICE_LINK_TTL_MS } from "#lib/members/device-link.ts";
import { getCookieFlags } from "#lib/members/session/session.ts";

const getCookieName = () =>
  env.SITE_URL.startsWith("https:") ? "__Host-device-code" : "device-code";

export async function readDeviceLinkCookie(): Promise<string | undefined> {
  return (await cookies()).get(getCookieName())?.value;
}

export async function setDeviceLinkCookie(token: string): Promise<void> {
  (await cookies()).set({
    name: getCookieName(),
    value: token,
    ...getCookieFlags(),
    maxAge: DEVICE_LINK_TTL_MS / 1000,
  });
}
