// /me/delete: what goes with an account, and the word that makes it go.

import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { deleteMyAccount } from "./actions.ts";
import { ActionForm, Field, SubmitButton } from "#components/ui/action-form.tsx";
import { isRecentLogin } from "#lib/core/member.ts";
import { readSql } from "#lib/db/database.ts";
import { DELETE_CONFIRMATION, isLastAdmin } from "#lib/members/delete-account.ts";
import { getProfile } from "#lib/members/profile.ts";
import { resolveViewer, readSessionCookies } from "#lib/members/session/session.ts";

export const metadata: Metadata = { title: "Delete your account", robots: { index: false } };

function describeDeletedData({ calls, episodes }: { calls: number; episodes: number }): string {
  if (calls === 0) return "Your profile, your passkeys and every post you have read.";
  const recordings = calls === 1 ? "the call you left" : `the ${calls} calls you left`;
  const published =
    episodes === 0
      ? ""
      : episodes === 1
        ? ", and the episode made of one"
        : `, and the ${episodes} episodes made of them`;
  return `Your profile, your passkeys, every post you have read, ${recordings} with recordings and answers${published}.`;
}

export default async function Page() {
  await connection();
  const identity = await readSessionCookies();
  const found = await readSql((sql) => {
    const { member } = resolveViewer(sql, identity);
    return (
      member && {
        member,
        profile: getProfile(sql, member.id),
        lastAdmin: isLastAdmin(sql, member.id),
      }
    );
  });
  if (!found) redirect("/login?next=/me/delete");
  const { member, profile, lastAdmin } = found;
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Delete your account</h1>
        <p className="lead">
          {describeDeletedData(profile)} It all goes at once, you are logged out everywhere, and
          nobody can bring it back.
        </p>
      </header>
      {lastAdmin ? (
        <p className="me-note">
          You are the only admin, and the site must have one. Make somebody else an admin first,
          among the users of the admin pages; then delete your account here.
        </p>
      ) : isRecentLogin(member) ? (
        <ActionForm action={deleteMyAccount} className="form" loginNext="/me/delete">
          <Field
            name="confirmation"
            label={<>Type “{DELETE_CONFIRMATION}” to go on</>}
            hint={`This is the account of ${profile.email}.`}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={200}
            required
          />
          <div className="form-actions">
            <SubmitButton kind="danger">Delete my account for good</SubmitButton>
            <Link href="/me">Keep it</Link>
          </div>
        </ActionForm>
      ) : (
        <div className="stack-s">
          <p className="me-note">
            Nobody should do this for you at a screen you left open: log in again first, then you
            have fifteen minutes.
          </p>
          <div className="form-actions">
            <a className="button button-main" href="/login?next=/me/delete">
              Log in again
            </a>
            <Link href="/me">Keep my account</Link>
          </div>
        </div>
      )}
      <p className="muted me-note me-note-end">
        You may want to <a href="/me/data">download your data</a> before.
      </p>
    </div>
  );
}
