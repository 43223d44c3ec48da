// Renders /calls/record, where a member records or types a call.

import { randomUUID } from "node:crypto";
import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { CALL_LIMITS, MAX_CALL_MS } from "#lib/calls/audio/probe.ts";
import { getViewer } from "#lib/members/viewer.ts";
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
          Ask a question in your own voice, up to two minutes. We publish it with our answer and
          your first name, {member.firstName}.
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
              <strong>Ask one thing.</strong> Say who you are and what you do, then the question,
              then why it matters to you.
            </li>
            <li className="needs-script">
              <strong>Find a quiet spot.</strong> Staying close to the microphone helps more than
              buying an expensive one.
            </li>
            <li>
              <strong>Don’t name anyone without permission.</strong> No confidential or personal
              details. Anyone can listen.
            </li>
            <li className="needs-script">
              <strong>You can re-record.</strong> Listen before you send. It stays on this device,
              even if you close the page.
            </li>
          </ul>
          <p>
            <a href="/calls">Listen to earlier calls</a> or <a href="/calls/mine">see yours</a>.
          </p>
        </aside>
      </div>
    </div>
  );
}
