// /calls/record: a member leaves a call, spoken or written.

import { randomUUID } from "node:crypto";
import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { CALL_LIMITS, MAX_CALL_MS } from "#lib/calls/audio/probe.ts";
import { getViewer } from "#lib/members/session/session.ts";
import { draftOwnerId } from "#lib/calls/draft-owner-id.ts";
import { CallForm } from "./call-form.tsx";

export const metadata: Metadata = { title: "Leave a call", robots: { index: false } };

export default async function Page() {
  await connection();
  const { member } = await getViewer();
  if (!member) redirect("/login?next=/calls/record");
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Leave a call</h1>
        <p className="lead">
          Ask a question in your own voice, two minutes at most. It gets a spoken answer, and both
          are published together under your first name, {member.firstName}.
        </p>
      </header>
      <div className="leave-call">
        <CallForm
          id={randomUUID()}
          owner={draftOwnerId(member)}
          maxMs={MAX_CALL_MS}
          maxBytes={CALL_LIMITS.maxBytes}
        />
        <aside className="tips" aria-labelledby="tips">
          <h2 id="tips">A good call</h2>
          <ul>
            <li>
              <strong>Asks one thing.</strong> Say who you are and what you do, then the question,
              then why it matters to you.
            </li>
            <li className="needs-script">
              <strong>Is easy to hear.</strong> A quiet room and a hand’s width from the microphone
              do more than an expensive one.
            </li>
            <li>
              <strong>Names nobody who did not agree.</strong> No employers’ secrets, no addresses:
              anybody will be able to listen.
            </li>
            <li className="needs-script">
              <strong>Can be taken again.</strong> Listen before you send. Until then it stays on
              this device, also when the page is closed.
            </li>
          </ul>
          <p>
            <a href="/calls">Listen to earlier calls</a> or <a href="/calls/mine">see your own</a>.
          </p>
        </aside>
      </div>
    </div>
  );
}
