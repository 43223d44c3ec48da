// /login: by mail, to an address that may be new.

import type { Metadata } from "next";
import { connection } from "next/server";
import { requestLoginEmail } from "./actions.ts";
import { loginPrompt } from "./login-prompt.ts";
import { PasskeyLoginButton } from "#components/member/passkey-login-button.tsx";
import { ActionForm, Field, SubmitButton } from "#components/ui/action-form.tsx";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import { getViewer } from "#lib/members/session/session.ts";

export const metadata: Metadata = { title: "Log in", robots: { index: false } };

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ next?: string | string[] }>;
}) {
  await connection();
  const next = sanitizeRedirectPath((await searchParams).next);
  const why = loginPrompt(next);
  const { member } = await getViewer();
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>Log in</h1>
        {!member && why && <p className="lead">{why}</p>}
        <p className={!member && why ? undefined : "lead"}>
          {member
            ? `You are logged in as ${member.firstName}. Logging in again begins a new session, which some changes ask for.`
            : "No password: a mail with a link and a code. New here? The same mail signs you up."}
        </p>
      </header>
      <div className="entry-body">
        <ActionForm action={requestLoginEmail} className="form">
          <input type="hidden" name="next" value={next} />
          <Field
            name="email"
            label="Your address for mail"
            type="email"
            inputMode="email"
            autoComplete="email"
            autoCapitalize="none"
            spellCheck={false}
            required
            maxLength={254}
          />
          <SubmitButton>Send me the mail</SubmitButton>
        </ActionForm>
        <PasskeyLoginButton next={next} />
      </div>
    </div>
  );
}
