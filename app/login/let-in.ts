// What follows on a proven address: a session for its member, or a sign-up for somebody new.

import { redirect } from "next/navigation";
import { clearBriefCookie, setBriefCookie } from "./brief-cookie.ts";
import { type BegunSession, beginSession, setSessionCookie } from "./begin-session.ts";
import type { Sql } from "#lib/db/connection.ts";
import { beginSignup, findMemberId } from "#lib/members/sign-up.ts";
import type { Identity } from "#lib/session/session.ts";

export type LetIn = { readonly begun: BegunSession } | { readonly signupId: string };

/** In the transaction that used the proof up. Only here is it asked whether the address is a member's. */
export function letIn(
  sql: Sql,
  {
    email,
    identity,
    request,
  }: { email: string; identity: Identity; request: { readonly headers: Headers } },
): LetIn {
  const userId = findMemberId(sql, email);
  return userId
    ? { begun: beginSession(sql, { userId, identity, request }) }
    : { signupId: beginSignup(sql, { email }).browserId };
}

/** Where a log-in ends: a document of its own, since the pages outside have another policy than those of members. */
export function afterLogin(next: string): string {
  return `/login/go?to=${encodeURIComponent(next)}`;
}

/** After the commit: gives the browser its cookies and sends it on. Always throws the redirect. */
export async function sendOn(result: LetIn, next: string): Promise<never> {
  await clearBriefCookie("login");
  if ("signupId" in result) {
    await setBriefCookie("signup", { browserId: result.signupId, next });
    redirect("/signup");
  }
  await setSessionCookie(result.begun);
  redirect(afterLogin(next));
}
