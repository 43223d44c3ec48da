// /admin: what wants attention, and how much there is of everything.

import { getIndex, getCatalogStatus } from "#lib/posts/catalog/site-catalog.ts";
import { adminMetadata, requireAdminPage } from "./require-admin-page.tsx";
import { AdminFrame } from "#components/admin/admin-frame.tsx";
import { readSql } from "#lib/db/database.ts";
import { listReviewQueue } from "#lib/calls/review-queue.ts";
import { countUsers } from "#lib/members/admin-users.ts";
import { listLoginEmailFailures } from "#lib/members/login-email.ts";
import { countDeliveries } from "#lib/outbound/outbox/manage-deliveries.ts";
import { formatCount } from "#lib/core/format.ts";
import { getSiteTotals } from "#lib/reading/read-totals.ts";

export const generateMetadata = () => adminMetadata("Overview");

/** `one` and `many` go on from the number. */
function AttentionItem({
  count,
  one,
  many,
  href,
  link,
}: {
  count: number;
  one: string;
  many: string;
  href: string;
  link: string;
}) {
  return (
    <li className={count === 0 ? "calm" : undefined}>
      <strong>{count}</strong>
      <span>{count === 1 ? one : many}</span>
      {count > 0 && <a href={href}>{link}</a>}
    </li>
  );
}

export default async function AdminPage() {
  const { admin, refused } = await requireAdminPage("/admin");
  if (!admin) return refused;
  const { posts } = await getIndex();
  const { failures, problem, sourceProblem } = getCatalogStatus();
  const data = await readSql((sql) => ({
    users: countUsers(sql, admin),
    reads: getSiteTotals(sql),
    calls: listReviewQueue(sql, { by: admin, state: "NEW" }).counts,
    deliveries: countDeliveries(sql),
  }));
  const { users, reads, calls, deliveries } = data;
  const figures = [
    ["Members", formatCount(users.members)],
    ["Admins", formatCount(users.admins)],
    ["Posts", formatCount(posts.length)],
    ["Reads", formatCount(reads.reads)],
    ["Readers", formatCount(reads.readers)],
    ["Episodes", formatCount(calls.PUBLISHED)],
  ] as const;
  return (
    <AdminFrame current="overview" title={`Hello, ${admin.firstName}.`}>
      <section className="desk-section" aria-labelledby="attention">
        <h2 id="attention">What waits for you</h2>
        <ul className="attention">
          <AttentionItem
            count={calls.NEW}
            one="new call"
            many="new calls"
            href="/admin/calls"
            link="Listen"
          />
          <AttentionItem
            count={calls.REVIEWING}
            one="call being reviewed"
            many="calls being reviewed"
            href="/admin/calls?state=REVIEWING"
            link="Go on"
          />
          <AttentionItem
            count={calls.ANSWERED}
            one="answered call, not published"
            many="answered calls, not published"
            href="/admin/calls?state=ANSWERED"
            link="Publish"
          />
          <AttentionItem
            count={failures.length + (problem ? 1 : 0) + (sourceProblem ? 1 : 0)}
            one="problem with the posts"
            many="problems with the posts"
            href="/admin/content"
            link="See why"
          />
          <AttentionItem
            count={deliveries.failed}
            one="mail or message that failed"
            many="mails and messages that failed"
            href="/admin/deliveries"
            link="See why"
          />
          <AttentionItem
            count={listLoginEmailFailures().length}
            one="log-in mail that was not sent"
            many="log-in mails that were not sent"
            href="/admin/deliveries#login"
            link="See why"
          />
        </ul>
      </section>
      <section className="desk-section" aria-labelledby="totals">
        <h2 id="totals">How much there is</h2>
        <dl className="total-row">
          {figures.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
    </AdminFrame>
  );
}
