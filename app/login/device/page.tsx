// /login/device?token=…: the target of a QR code. Only its button logs in.

import type { Metadata } from "next";
import { connection } from "next/server";
import { logInOnDevice } from "./actions.ts";
import { ActionForm } from "#components/ui/action-form.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { read } from "#lib/db/database.ts";
import { findDeviceLink } from "#lib/members/device-link.ts";
import { retryOnPrimary } from "#lib/replication/read-your-writes.ts";
import { resolveViewer, readSessionCookies } from "#lib/members/viewer.ts";

export const metadata: Metadata = { title: "Log in on this device", robots: { index: false } };

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ token?: string | string[] }>;
}) {
  await connection();
  const { token } = await searchParams;
  const sessionIds = await readSessionCookies();
  const { link, member } = await read(async (tx) => ({
    link: typeof token === "string" && token.length <= 100 ? await findDeviceLink(tx, token) : null,
    member: (await resolveViewer(tx, sessionIds)).member,
  }));
  if (!link || typeof token !== "string") {
    if (token) retryOnPrimary();
    return (
      <div className="wrap">
        <header className="page-head">
          <h1>This code has expired</h1>
          <p className="lead">
            Each code works once and expires after a minute. Show a new one on your other device, or
            log in by email.
          </p>
        </header>
        <p>
          <a className="button button-main" href="/login">
            Log in by email
          </a>
        </p>
      </div>
    );
  }
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Log in as {link.firstName} on this device</h1>
        <p className="lead">This logs you in as {link.firstName}. Continue only if that’s you.</p>
      </header>
      <ActionForm action={logInOnDevice} className="form">
        <input type="hidden" name="token" value={token} />
        {member && member.id !== link.userId && (
          <p>You’re logged in as {member.firstName} here. That account will be logged out.</p>
        )}
        <div className="form-actions">
          <SubmitButton>Log in as {link.firstName}</SubmitButton>
        </div>
      </ActionForm>
    </div>
  );
}
