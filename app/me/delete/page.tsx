// /me/delete: says what is deleted with an account, and asks for confirmation.

import type { Metadata } from "next";
import Link from "next/link";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { deleteMyAccount } from "./actions.ts";
import { ActionForm } from "#components/ui/action-form.tsx";
import { Field } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { isRecentLogin } from "#lib/members/member.ts";
import { read } from "#lib/db/database.ts";
import { DELETE_CONFIRMATION, isLastAdmin } from "#lib/members/delete-account.ts";
import { type Profile, getProfile } from "#lib/members/profile.ts";
import { resolveViewer, readSessionCookies } from "#lib/members/viewer.ts";

export const metadata: Metadata = { title: "Delete your account", robots: { index: false } };

function describeDeletedData({ callCount, episodeCount }: Profile): string {
  const parts = ["profile", "passkeys", "reading history"];
  if (callCount > 0) parts.push(callCount === 1 ? "call" : `${callCount} calls`);
  if (episodeCount > 0) parts.push(episodeCount === 1 ? "episode" : `${episodeCount} episodes`);
  return `This permanently deletes your ${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}.`;
}

export default async function Page() {
  await connection();
  const sessionIds = await readSessionCookies();
  const account = await read(async (tx) => {
    const { member } = await resolveViewer(tx, sessionIds);
    return (
      member && {
        member,
        profile: await getProfile(tx, member.id),
        isOnlyAdmin: await isLastAdmin(tx, member.id),
      }
    );
  });
  if (!account) redirect("/login?next=/me/delete");
  const { member, profile, isOnlyAdmin } = account;
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Delete your account</h1>
        <p className="lead">{describeDeletedData(profile)} It can’t be undone.</p>
      </header>
      {isOnlyAdmin ? (
        <p className="me-note">
          You’re the only admin. <a href="/admin/users">Make someone else an admin</a> first.
        </p>
      ) : isRecentLogin(member) ? (
        <ActionForm action={deleteMyAccount} className="form" loginNext="/me/delete">
          <Field
            name="confirmation"
            label={<>Type “{DELETE_CONFIRMATION}” to confirm</>}
            hint={`Account: ${profile.email}`}
            autoComplete="off"
            autoCapitalize="none"
            spellCheck={false}
            maxLength={200}
            required
          />
          <div className="form-actions">
            <SubmitButton kind="danger">Delete account</SubmitButton>
            <Link href="/me">Cancel</Link>
          </div>
        </ActionForm>
      ) : (
        <div className="stack-s">
          <p className="me-note">For your security, log in again first.</p>
          <div className="form-actions">
            <a className="button button-main" href="/login?next=/me/delete">
              Log in again
            </a>
            <Link href="/me">Cancel</Link>
          </div>
        </div>
      )}
      <p className="muted me-note me-note-end">
        <a href="/me/data">Download your data</a> first.
      </p>
    </div>
  );
}
