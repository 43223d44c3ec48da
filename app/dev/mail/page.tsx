// /dev/mail: what would have been sent, where no mail server is set up. A 404 everywhere else.

import type { Metadata } from "next";
import { connection } from "next/server";
import { NotFoundPage, setNotFoundStatus } from "../../not-found-page.tsx";
import { isEmailPreviewAllowed } from "#lib/outbound/mail/email-preview.ts";
import { listLocalMailbox } from "#lib/outbound/mail/local-mailbox.ts";

export const metadata: Metadata = { title: "Outbox", robots: { index: false } };

const MAX_EMAILS = 20;

export default async function Page() {
  await connection();
  if (!isEmailPreviewAllowed()) {
    setNotFoundStatus();
    return <NotFoundPage identity={{ sessionKey: null, clientId: null }} />;
  }
  const mails = listLocalMailbox(MAX_EMAILS);
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Outbox</h1>
        <p className="lead">
          {mails.length === 0
            ? "No mail was written yet."
            : "No mail server is set up, so mails wait here, the newest first. Only this machine sees this page."}
        </p>
      </header>
      <ol className="outbox">
        {mails.map((mail, i) => (
          // The folder only grows at its new end.
          <li key={mails.length - i} className="outbox-mail">
            <h2>{mail.subject}</h2>
            <p className="muted">To {mail.to}</p>
            {mail.parts.map((part, at) =>
              typeof part === "string" ? (
                <p key={at}>{part}</p>
              ) : "code" in part ? (
                <p key={at} className="outbox-code figures">
                  {part.code}
                </p>
              ) : (
                <p key={at}>
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
