// /login/device?token=…: where a code of /me/device leads. Looking at it logs nobody in; the button does.

import type { Metadata } from "next";
import { connection } from "next/server";
import { logInOnDevice } from "./actions.ts";
import { ActionForm, SubmitButton } from "#components/ui/action-form.tsx";
import { readSql } from "#lib/db/database.ts";
import { findDeviceLink } from "#lib/members/device-link.ts";
import { retryOnPrimary } from "#lib/replication/read-your-writes.ts";
import { resolveViewer, readSessionCookies } from "#lib/members/session/session.ts";

export const metadata: Metadata = { title: "Log in on this device", robots: { index: false } };

export default async function Page({
  searchParams,
}: {
  searchParams: Promise<{ token?: string | string[] }>;
}) {
  await connection();
  const { token } = await searchParams;
  const identity = await readSessionCookies();
  const { link, member } = await readSql((sql) => ({
    link: typeof token === "string" && token.length <= 100 ? findDeviceLink(sql, token) : null,
    member: resolveViewer(sql, identity).member,
  }));
  if (!link || typeof token !== "string") {
    if (token) retryOnPrimary();
    return (
      <div className="wrap">
        <header className="page-head">
          <h1>This code is no longer good</h1>
          <p className="lead">
            A code works once, for one minute. Show a new one on the device where you are logged in,
            or log in by mail.
          </p>
        </header>
        <p>
          <a className="button button-main" href="/login">
            Log in by mail
          </a>
        </p>
      </div>
    );
  }
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Log in as {link.firstName} on this device</h1>
        <p className="lead">
          The code is {link.firstName}’s. Go on only if that is you: what is read and said here from
          now on is {link.firstName}’s.
        </p>
      </header>
      <ActionForm action={logInOnDevice} className="form">
        <input type="hidden" name="token" value={token} />
        {member && member.id !== link.userId && (
          <p>You are logged in here as {member.firstName}. That session ends.</p>
        )}
        <div className="form-actions">
          <SubmitButton>Log in as {link.firstName}</SubmitButton>
        </div>
      </ActionForm>
    </div>
  );
}
