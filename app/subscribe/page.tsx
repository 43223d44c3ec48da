// /subscribe: asks for an email address for the newsletter, and confirms the subscription.

import type { Metadata } from "next";
import { redirect } from "next/navigation";
import { connection } from "next/server";
import { requestSubscription } from "./actions.ts";
import { ActionForm } from "#components/ui/action-form.tsx";
import { EmailField } from "#components/ui/form-fields.tsx";
import { SubmitButton } from "#components/ui/submit-button.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { readNotice } from "#lib/http/notice-cookie.ts";
import { newsletterChannel } from "#lib/members/newsletter-channel.ts";
import { getViewer } from "#lib/members/viewer.ts";
import { FEED_PATHS } from "#lib/posts/feeds/feed-paths.ts";

export async function generateMetadata(): Promise<Metadata> {
  await connection();
  return {
    title: "Subscribe",
    description: `Get new posts from ${siteConfig.name} by email.`,
    alternates: { canonical: "/subscribe" },
  };
}

function Confirmation() {
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>You’re subscribed</h1>
        <p className="lead">
          We’ll email you new posts. Every email has a link to choose topics or unsubscribe.
        </p>
      </header>
      <p>
        <a className="more" href="/blog">
          Read a post
        </a>
      </p>
    </div>
  );
}

export default async function Page() {
  await connection();
  if ((await getViewer()).member) redirect("/me#consent");
  if ((await readNotice()) === "subscribed") return <Confirmation />;
  return (
    <div className="wrap entry">
      <header className="page-head">
        <h1>Subscribe</h1>
        <p className="lead">
          Get new posts from {siteConfig.name} by email. You don’t need an account.
        </p>
      </header>
      <div className="entry-body">
        <ActionForm action={requestSubscription} className="form">
          <EmailField hint="We’ll send you a link to confirm it. Every email has an unsubscribe link." />
          <SubmitButton>Subscribe</SubmitButton>
          <p className="form-hint">
            {newsletterChannel() === "kit" &&
              "Your address is sent to the newsletter service Kit. "}
            <a href="/privacy">What we store about you</a>
          </p>
        </ActionForm>
        <p>
          Prefer a feed reader? There’s an <a href={FEED_PATHS.rss}>RSS feed</a>.
        </p>
      </div>
    </div>
  );
}
