// Renders content/pages/privacy or, if it is missing, a privacy notice from the configuration.

import type { Metadata } from "next";
import { connection } from "next/server";
import { renderTextPage, textPageMetadata } from "#app/(text)/render-text-page.tsx";
import { siteConfig } from "#lib/core/site-config.ts";
import { SESSION_DAYS } from "#lib/members/cookies.ts";
import { listDataReceivers } from "#lib/members/data-receivers.ts";
import { newsletterChannel } from "#lib/members/newsletter-channel.ts";
import { findPageBySlug, hasPage } from "#lib/posts/catalog/site-catalog.ts";

export async function generateMetadata(): Promise<Metadata> {
  await connection();
  if (await findPageBySlug("privacy")) return textPageMetadata("privacy");
  return {
    title: "Privacy",
    description: `What ${siteConfig.name} stores about you, for how long, and who receives it.`,
    alternates: { canonical: "/privacy" },
  };
}

function MemberData() {
  const { calls, teams } = siteConfig.features;
  return (
    <>
      <h2>If you are a member</h2>
      <ul>
        <li>Your email address and first name{teams && ", and your team"}.</li>
        <li>What you agreed to, such as getting new posts by email, and when.</li>
        <li>
          For each device that is logged in: the name of its browser, its region if we know it, and
          when it was last seen, to the hour. A session ends after {SESSION_DAYS} days.
        </li>
        <li>The posts you finished, and when.</li>
        <li>The posts you saved for later, and when.</li>
        <li>
          For a long post that you started: the section you were reading, so that you can continue
          on another device. We replace it as you read, and ignore it once you finish.
        </li>
        <li>Only in your browser, in a cookie: when you last visited, to mark new posts.</li>
        <li>The public keys of your passkeys, with the names you gave them.</li>
        {calls && <li>Your calls: recording, text, status and our answers.</li>}
      </ul>
      <p>
        On <a href="/me">your account page</a> you can download all of it as one file, change what
        you agreed to, and delete your account with everything that belongs to it.
      </p>
    </>
  );
}

function Receivers() {
  const receivers = listDataReceivers();
  return (
    <>
      <h2>Who else receives it</h2>
      {receivers.length === 0 ? (
        <p>No one. This site doesn’t send personal data to any other service.</p>
      ) : (
        <ul>
          {receivers.map(({ name, data }) => (
            <li key={name}>
              {name}: {data}.
            </li>
          ))}
        </ul>
      )}
      <p>There are no third-party scripts, ads or analytics services.</p>
    </>
  );
}

export default async function Page() {
  await connection();
  if (await findPageBySlug("privacy")) return renderTextPage("privacy");
  return (
    <div className="wrap">
      <header className="page-head">
        <h1>Privacy</h1>
        <p className="lead">What this site stores about you, for how long, and who receives it.</p>
      </header>
      <div className="prose">
        <h2>If you read posts</h2>
        <p>
          When you finish a post, we store its name, the time, and a random ID that is also in a
          cookie, so that we don’t count you twice. We also count, without any ID, how many views of
          each post started and finished each day, and which sites linked to them. IP addresses are
          kept only briefly and only in memory, to limit abuse.
          {hasPage("how-we-count") && (
            <>
              {" "}
              <a href="/how-we-count">How we count</a> has the details and lists all cookies.
            </>
          )}
        </p>
        {siteConfig.features.calls && (
          <p>Where you stopped in an episode is stored only in your browser.</p>
        )}
        {siteConfig.features.newsletter && (
          <>
            <h2>If you subscribe by email</h2>
            <p>
              We store your email address, the topics you chose, and since when, once you have
              confirmed the address. Until then, we keep it only to send you the confirmation email,
              for at most two days. We don’t track whether you open an email or follow its links.
              {newsletterChannel() === "site" &&
                " We also record whether the mail server accepted each email to you. When an issue has been sent, we keep only the failures, without your address."}{" "}
              Unsubscribing deletes your address and topics.
            </p>
          </>
        )}
        {siteConfig.features.members && <MemberData />}
        <Receivers />
        <h2>Questions</h2>
        <p>
          <a href="/contact">Contact us</a>.
        </p>
      </div>
    </div>
  );
}
