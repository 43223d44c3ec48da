// Renders /calls/mine: a member's own calls. Works without JavaScript.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { deleteCall } from "./actions.ts";
import { ClearSentDraft } from "#components/call/clear-sent-draft.tsx";
import { OwnCallItem } from "#components/call/own-call-item.tsx";
import { FocusOnSuccess } from "#components/ui/focus-on-success.tsx";
import { Timestamp } from "#components/ui/timestamp.tsx";
import { ActionForm, FormMessage } from "#components/ui/action-form.tsx";
import { MAX_LISTED_CALLS, listOwnCalls } from "#lib/calls/own-calls.ts";
import { read } from "#lib/db/database.ts";
import { resolveViewer, readSessionCookies } from "#lib/members/viewer.ts";

export const metadata: Metadata = { title: "Your calls", robots: { index: false } };

const DELETE_FORM = "delete-call";

interface Props {
  searchParams: Promise<Record<string, string | string[] | undefined>>;
}

export default async function Page({ searchParams }: Props) {
  await connection();
  const sessionIds = await readSessionCookies();
  const calls = await read(async (tx) => {
    const { member } = await resolveViewer(tx, sessionIds);
    return member && (await listOwnCalls(tx, member));
  });
  if (!calls) redirect("/login?next=/calls/mine");
  const { sent } = await searchParams;
  const sentCall = calls.find(({ id }) => id === sent);
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Your calls</h1>
        <p className="lead">
          {calls.length === 0
            ? "You haven’t left a call yet."
            : "Your questions and their status. Only you and the hosts can hear them until they’re published."}
        </p>
      </header>
      {sentCall && (
        <>
          <ClearSentDraft callId={sentCall.id} />
          <div className="form-message form-message-done own-call-sent" role="status">
            <p>We’ve received “{sentCall.title}”. We’ll email you when it’s answered.</p>
          </div>
        </>
      )}
      <div className="own-calls">
        {/* The list's buttons refer to this form by id: inside a form, Enter in a player would submit it. */}
        <ActionForm action={deleteCall} id={DELETE_FORM} loginNext="/calls/mine" ownMessage>
          <FormMessage loginNext="/calls/mine" />
          <FocusOnSuccess />
        </ActionForm>
        <p className="form-actions">
          <a className="button" href="/calls/record">
            Leave a call
          </a>
          <a className="more" href="/calls">
            All episodes
          </a>
        </p>
        <ol>
          {calls.map((call) => (
            <OwnCallItem
              key={call.id}
              call={call}
              date={<Timestamp ms={call.createdAt} day />}
              isNew={call === sentCall}
              deleteForm={DELETE_FORM}
            />
          ))}
        </ol>
        {calls.length === MAX_LISTED_CALLS && (
          <p className="muted">Showing the newest {calls.length}.</p>
        )}
      </div>
    </div>
  );
}
