// The end of a session in the browser.

import { cookies } from "#lib/http/next-request.ts";
import { getCookieName } from "#lib/core/cookie-names.ts";
import { getCookieFlags } from "#lib/members/session/session.ts";

/** Takes the session's cookie from the browser; the row must go in the database. In an action or a handler. */
export async function clearSessionCookie(): Promise<void> {
  (await cookies()).set({
    name: getCookieName("session"),
    value: "",
    ...getCookieFlags(),
    maxAge: 0,
  });
}
