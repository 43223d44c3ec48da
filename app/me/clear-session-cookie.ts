// The end of a session in the browser.

import { cookies } from "next/headers";
import { cookieName } from "#lib/session/cookie-name.ts";
import { cookieFlags } from "#lib/session/session.ts";

/** Takes the session's cookie from the browser; the row must go in the database. In an action or a handler. */
export async function clearSessionCookie(): Promise<void> {
  (await cookies()).set({ name: cookieName("session"), value: "", ...cookieFlags(), maxAge: 0 });
}
