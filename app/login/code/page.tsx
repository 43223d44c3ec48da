// /login/code: the mail is on its way; its code may be typed here.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { isEmailPreviewAllowed } from "#lib/outbound/mail/email-preview.ts";
import { resendLoginEmail } from "../actions.ts";
import { readLoginFlowCookie } from "#lib/members/cookies/login-flow-cookie.ts";
import { CodeForm } from "../code-form.tsx";
import { Notice } from "#components/ui/notice.tsx";
import { ActionButton } from "#components/ui/action-form.tsx";
import { readSql } from "#lib/db/database.ts";
import { pendingLoginEmail, findChallenge } from "#lib/members/login-challenge.ts";

export const metadata: Metadata = { title: "Look at your mail", robots: { index: false } };

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ again?: string | string[] }>;
}) {
  await connection();
  const cookie = await readLoginFlowCookie("login");
  if (!cookie) redirect("/login");
  const { open, email } = await readSql((sql) => ({
    open: findChallenge(sql, cookie),
    email: pendingLoginEmail(sql, cookie),
  }));
  const isAgain = (await searchParams).again !== undefined;
  const another = `/login?next=${encodeURIComponent(cookie.next)}`;
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>{open ? "Look at your mail" : "That mail is worth nothing any more"}</h1>
        <p className="lead">
          {open && !open.canUseCode ? (
            <>
              A mail went to <strong className="entry-address">{open.email}</strong>. Follow its
              link in this browser, within fifteen minutes of asking for it.
            </>
          ) : open ? (
            <>
              A mail is on its way to <strong className="entry-address">{open.email}</strong>.
              Follow its link in this browser, or type its code here, within fifteen minutes.
            </>
          ) : (
            "Its time has passed, it was used, or its code was tried too often. Ask for a new one."
          )}
        </p>
        {open && !open.canUseCode && (
          <Notice key={`${open.expiresAtMs} spent`} isAlert>
            This code was tried too often. The link in the mail still works, or ask for a new mail.
          </Notice>
        )}
        {open?.canUseCode && isAgain && (
          <Notice key={open.expiresAtMs}>A new mail is on its way.</Notice>
        )}
        {open && isEmailPreviewAllowed() && (
          <p className="entry-note">
            No mail server is set up here: <a href="/dev/mail">the mail is in the outbox</a>.
          </p>
        )}
      </header>
      <div className="entry-body">
        {/* A new mail is a new form: what was wrong with the last code is not wrong with this one. */}
        {open?.canUseCode && <CodeForm key={open.expiresAtMs} />}
        <div className="entry-also">
          {email && (
            <ActionButton action={resendLoginEmail} kind={open?.canUseCode ? "plain" : "main"}>
              {open?.canUseCode ? "Send it again" : "Send a new mail"}
            </ActionButton>
          )}
          <a className="button button-plain" href={another}>
            Use another address
          </a>
        </div>
        {open && (
          <p className="muted entry-help">
            Nothing there after a minute? Look where your mail keeps advertising and spam.
          </p>
        )}
      </div>
    </div>
  );
}
