// /dev/mail/[secret]: shows the emails of a site without a mail server, newest first. 404 without the secret that
// the terminal shows (lib/outbound/mail/mailbox-access.ts).

import type { Metadata } from "next";
import { connection } from "next/server";
import { renderNotFound } from "../../../not-found-page.tsx";
import { listLocalMailbox } from "#lib/outbound/mail/local-mailbox.ts";
import { canReadMailbox } from "#lib/outbound/mail/mailbox-access.ts";

type Props = { params: Promise<{ secret: string }> };

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const title = canReadMailbox((await params).secret) ? "Local mailbox" : "Not found";
  return { title, robots: { index: false } };
}

const MAX_EMAILS = 20;

export default async function Page({ params }: Props) {
  await connection();
  if (!canReadMailbox((await params).secret))
    return renderNotFound({ sessionKey: null, clientId: null });
  const emails = listLocalMailbox(MAX_EMAILS);
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Local mailbox</h1>
        <p className="lead">
          {emails.length === 0
            ? "No emails yet."
            : "No mail server is configured, so emails are saved here. Don’t share the address of this page."}
        </p>
      </header>
      <ol className="mailbox">
        {emails.map((email, i) => (
          // Counted from the oldest, so that a key stays with its email.
          <li key={emails.length - i} className="mailbox-email">
            <h2>{email.subject}</h2>
            <p className="muted">To {email.to}</p>
            {email.parts.map((part, index) =>
              typeof part === "string" ? (
                <p key={index}>{part}</p>
              ) : "code" in part ? (
                <p key={index} className="mailbox-code figures">
                  {part.code}
                </p>
              ) : "html" in part ? (
                <pre key={index} className="mailbox-post">
                  {part.text}
                </pre>
              ) : (
                <p key={index}>
                  <a className="button" href={part.link}>
                    {part.label}
                  </a>
                </p>
              ),
            )}
          </li>
        ))}
      </ol>
    </div>
  );
}
