// /login: by mail, to an address that may be new.

import type { Metadata } from "next";
import { connection } from "next/server";
import { askForMail } from "./actions.ts";
import { whyLogIn } from "./why.ts";
import { PasskeyLogin } from "#components/member/passkey-login.tsx";
import { ActionForm, Field, Submit } from "#components/ui/action-form.tsx";
import { redirectTarget } from "#lib/session/redirect-target.ts";
import { getReader } from "#lib/session/session.ts";

export const metadata: Metadata = { title: "Log in", robots: { index: false } };

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ next?: string | string[] }>;
}) {
  await connection();
  const next = redirectTarget((await searchParams).next);
  const why = whyLogIn(next);
  const { member } = await getReader();
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
        <ActionForm action={askForMail} className="form">
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
          <Submit>Send me the mail</Submit>
        </ActionForm>
        <PasskeyLogin next={next} />
      </div>
    </div>
  );
}
