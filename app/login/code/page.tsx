// /login/code: says that the login email was sent, and accepts its code.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { env } from "#lib/core/env.ts";
import { resendLoginEmail } from "../actions.ts";
import { readLoginFlowCookie } from "#lib/members/cookies.ts";
import { CodeForm } from "../code-form.tsx";
import { Notice } from "#components/ui/notice.tsx";
import { ActionButton } from "#components/ui/submit-button.tsx";
import { read } from "#lib/db/database.ts";
import { pendingLoginEmail, findChallenge } from "#lib/members/login-challenge.ts";

export const metadata: Metadata = { title: "Check your email", robots: { index: false } };

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ again?: string | string[] }>;
}) {
  await connection();
  const cookie = await readLoginFlowCookie("login");
  if (!cookie) redirect("/login");
  const { open, email } = await read(async (tx) => ({
    open: await findChallenge(tx, cookie),
    email: await pendingLoginEmail(tx, cookie),
  }));
  const isResent = (await searchParams).again !== undefined;
  const loginUrl = `/login?next=${encodeURIComponent(cookie.next)}`;
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>{open ? "Check your email" : "This email has expired"}</h1>
        <p className="lead">
          {open ? (
            <>
              We sent an email to <strong className="entry-address">{open.email}</strong>. Open the
              link in this browser{open.canUseCode && " or enter the code below"}. It expires in 15
              minutes.
            </>
          ) : (
            "It has expired, been used, or been tried too often. Request a new one."
          )}
        </p>
        {open && !open.canUseCode && (
          <Notice key={`${open.expiresAtMs} code`} isAlert>
            Too many attempts. Use the link in the email or request a new one.
          </Notice>
        )}
        {open?.canUseCode && isResent && (
          <Notice key={open.expiresAtMs}>We’ve sent a new email.</Notice>
        )}
        {open && env.SMTP_URL === undefined && (
          <p className="entry-note">
            No mail server is configured. The email is in the server’s terminal.
          </p>
        )}
      </header>
      <div className="entry-body">
        {/* A new email resets the form, because the error belongs to the earlier code. */}
        {open?.canUseCode && <CodeForm key={open.expiresAtMs} />}
        <div className="entry-also">
          {email && (
            <ActionButton action={resendLoginEmail} kind={open?.canUseCode ? "plain" : "main"}>
              {open?.canUseCode ? "Resend" : "Send a new email"}
            </ActionButton>
          )}
          <a className="button button-plain" href={loginUrl}>
            Use a different email
          </a>
        </div>
        {open && (
          <p className="muted entry-help">Nothing after a minute? Check your spam folder.</p>
        )}
      </div>
    </div>
  );
}
