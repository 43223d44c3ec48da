// /subscribe/confirm: asks the owner of the address to confirm, because opening a link must change
// nothing.

import type { Metadata } from "next";
import { connection } from "next/server";
import { confirmSubscription } from "../actions.ts";
import { InvalidLink } from "#components/member/invalid-link.tsx";
import { TopicFields } from "#components/member/topic-fields.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { read } from "#lib/db/database.ts";
import { type SearchParams, lastValue } from "#lib/http/search-params.ts";
import { newsletterChannel } from "#lib/members/newsletter-channel.ts";
import { findSubscriber } from "#lib/members/subscribers.ts";
import { MAX_TOKEN_LENGTH, verifyConfirmationToken } from "#lib/members/subscription-token.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { listTopics } from "#lib/posts/topics.ts";

export const metadata: Metadata = { title: "Confirm your subscription", robots: { index: false } };

export default async function Page({ searchParams }: { searchParams: Promise<SearchParams> }) {
  await connection();
  const token = lastValue((await searchParams).token).slice(0, MAX_TOKEN_LENGTH);
  const email = verifyConfirmationToken(token);
  if (!email)
    return (
      <InvalidLink>
        It has expired or is damaged. <a href="/subscribe">Subscribe again</a> to get a new one.
      </InvalidLink>
    );
  const subscriber = await read((tx) => findSubscriber(tx, email));
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>Almost there</h1>
        <p className="lead">
          Get new posts from {siteConfig.name} at <strong className="entry-address">{email}</strong>
          ?
        </p>
      </header>
      <div className="entry-body">
        <ActionForm action={confirmSubscription} className="form">
          <input type="hidden" name="token" value={token} />
          {newsletterChannel() === "site" && (
            <TopicFields topics={listTopics(await getIndex())} chosen={subscriber?.topics ?? []} />
          )}
          <SubmitButton>Confirm</SubmitButton>
        </ActionForm>
      </div>
    </div>
  );
}
