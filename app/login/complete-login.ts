// What follows on a proven address: a session for its member, or a sign-up for somebody new.

import { redirect } from "next/navigation";
import {
  clearLoginFlowCookie,
  setLoginFlowCookie,
} from "#lib/members/cookies/login-flow-cookie.ts";
import {
  type NewSession,
  logInAndClaimReads,
  setSessionCookie,
} from "#lib/members/session/log-in-and-claim-reads.ts";
import type { Sql } from "#lib/db/connection.ts";
import { startSignup, findMemberId } from "#lib/members/sign-up.ts";
import type { SessionIds } from "#lib/members/session/session.ts";

export type LoginResult = { readonly begun: NewSession } | { readonly signupId: string };

/** In the transaction that used the proof up. Only here is it asked whether the address is a member's. */
export function completeLogin(
  sql: Sql,
  {
    email,
    identity,
    request,
  }: { email: string; identity: SessionIds; request: { readonly headers: Headers } },
): LoginResult {
  const userId = findMemberId(sql, email);
  return userId
    ? { begun: logInAndClaimReads(sql, { userId, identity, request }) }
    : { signupId: startSignup(sql, { email }).browserId };
}

/** Where a log-in ends: a document of its own, since the pages outside have another policy than those of members. */
export function loginRedirectUrl(next: string): string {
  return `/login/go?to=${encodeURIComponent(next)}`;
}

/** After the commit: gives the browser its cookies and sends it on. Always throws the redirect. */
export async function redirectAfterLogin(result: LoginResult, next: string): Promise<never> {
  await clearLoginFlowCookie("login");
  if ("signupId" in result) {
    await setLoginFlowCookie("signup", { browserId: result.signupId, next });
    redirect("/signup");
  }
  await setSessionCookie(result.begun);
  redirect(loginRedirectUrl(next));
}
