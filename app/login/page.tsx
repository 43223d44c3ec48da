// /login: asks for an email address, known or new, or a passkey.

import type { Metadata } from "next";
import { connection } from "next/server";
import { requestLoginEmail } from "./actions.ts";
import { PasskeyLoginButton } from "#components/member/passkey-login-button.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { EmailField } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";
import { getViewer } from "#lib/members/viewer.ts";

export const metadata: Metadata = { title: "Log in", robots: { index: false } };

/** Returns why the visitor has to log in, depending on the path they requested; null if they came to log in. */
function loginPrompt(next: string): string | null {
  if (next === sanitizeRedirectPath(null)) return null;
  const path = new URL(next, "http://localhost").pathname;
  if (path === "/calls/record") return "Log in or sign up to leave a call.";
  if (path === "/calls/mine") return "Log in to see your calls.";
  if (path.startsWith("/me")) return "Log in to see your account.";
  if (path === "/teams") return "Log in or sign up to join a team.";
  return "Log in or sign up to continue.";
}

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ next?: string | string[] }>;
}) {
  await connection();
  const next = sanitizeRedirectPath((await searchParams).next);
  const prompt = loginPrompt(next);
  const { member } = await getViewer();
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>Log in</h1>
        {!member && prompt && <p className="lead">{prompt}</p>}
        <p className={!member && prompt ? undefined : "lead"}>
          {member
            ? `You’re logged in as ${member.firstName}. Some changes require you to log in again.`
            : "No password needed. We’ll email you a link and a code. New here? Same form."}
        </p>
      </header>
      <div className="entry-body">
        {/* Migrated members may have addresses that the browser refuses. */}
        <ActionForm action={requestLoginEmail} className="form" noValidate>
          <input type="hidden" name="next" value={next} />
          <EmailField offersPasskeys />
          <SubmitButton>Email me a login link</SubmitButton>
        </ActionForm>
        <PasskeyLoginButton next={next} />
      </div>
    </div>
  );
}
