// /unsubscribe: asks the subscriber to confirm, because opening a link must change nothing. Offers
// fewer topics as an alternative.

import type { Metadata } from "next";
import { connection } from "next/server";
import { chooseTopics, unsubscribe } from "./actions.ts";
import { TopicFields } from "#components/member/topic-fields.tsx";
import { ActionForm } from "#components/ui/action-form.tsx";
import { InvalidLink } from "#components/member/invalid-link.tsx";
import { Notice } from "#components/ui/notice.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { read } from "#lib/db/database.ts";
import { type SearchParams, lastValue } from "#lib/http/search-params.ts";
import { newsletterChannel } from "#lib/members/newsletter-channel.ts";
import { findSubscriber, findTokenEmail } from "#lib/members/subscribers.ts";
import { MAX_TOKEN_LENGTH, verifyUnsubscribeToken } from "#lib/members/subscription-token.ts";
import { retryOnPrimary } from "#lib/replication/read-your-writes.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { listTopics } from "#lib/posts/topics.ts";

export const metadata: Metadata = { title: "Unsubscribe", robots: { index: false } };

type TokenKey = NonNullable<ReturnType<typeof verifyUnsubscribeToken>>;

function findSubscription(key: TokenKey) {
  return read(async (tx) => {
    const email = await findTokenEmail(tx, key);
    return email === null ? null : { email, subscriber: await findSubscriber(tx, email) };
  });
}

async function TopicsSection({ token, chosen }: { token: string; chosen: readonly string[] }) {
  const topics = listTopics(await getIndex());
  if (topics.size === 0) return null;
  return (
    <section className="form" aria-labelledby="topics-title">
      <h2 id="topics-title">Or get fewer emails</h2>
      <ActionForm action={chooseTopics} className="form">
        <input type="hidden" name="token" value={token} />
        <TopicFields topics={topics} chosen={chosen} />
        <div className="form-actions">
          <SubmitButton kind="plain">Save topics</SubmitButton>
        </div>
      </ActionForm>
    </section>
  );
}

export default async function Page({ searchParams }: { searchParams: Promise<SearchParams> }) {
  await connection();
  const token = lastValue((await searchParams).token).slice(0, MAX_TOKEN_LENGTH);
  const key = verifyUnsubscribeToken(token);
  if (!key)
    return (
      <InvalidLink>
        It is incomplete or damaged. Use the link at the end of any email from us.
      </InvalidLink>
    );
  const subscription = await findSubscription(key);
  if (!subscription) {
    retryOnPrimary();
    return (
      <div className="wrap entry entry-one">
        <header className="page-head">
          <h1>Unsubscribed</h1>
        </header>
        <div className="form">
          {/* Takes the focus, since the form that had it is gone. */}
          <Notice>You won’t get any more posts from {siteConfig.name} by email.</Notice>
          <p>
            Changed your mind? <a href="/subscribe">Subscribe again</a>.
          </p>
        </div>
      </div>
    );
  }
  const { email, subscriber } = subscription;
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>Unsubscribe</h1>
        <p className="lead">
          Stop getting new posts from {siteConfig.name} at{" "}
          <strong className="entry-address">{email}</strong>?
        </p>
      </header>
      <div className="entry-body">
        <ActionForm action={unsubscribe} className="form">
          <input type="hidden" name="token" value={token} />
          <SubmitButton>Unsubscribe</SubmitButton>
        </ActionForm>
        {subscriber && newsletterChannel() === "site" && (
          <TopicsSection token={token} chosen={subscriber.topics} />
        )}
      </div>
    </div>
  );
}
