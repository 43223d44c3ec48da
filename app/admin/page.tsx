// Renders /admin: what needs attention, and totals.

import { getIndex, getCatalogStatus } from "#lib/posts/catalog/site-catalog.ts";
import { adminMetadata, requireAdminPage } from "./require-admin-page.tsx";
import { findBackupProblems, findBackupStatus, isBackupOn } from "#lib/core/backup-status.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { BackupSection } from "#components/admin/backup-section.tsx";
import { AdminLayout } from "#components/admin/admin-layout.tsx";
import { read } from "#lib/db/database.ts";
import { canMergeAudio } from "#lib/calls/merge-audio.ts";
import { listReviewQueue } from "#lib/calls/review-queue.ts";
import { countUsers } from "#lib/members/admin-users.ts";
import { listLoginEmailFailures } from "#lib/members/login-email.ts";
import { BACKUP_PROBLEM_TEXTS, processStartMs } from "#lib/outbound/backup-alerts.ts";
import { countDeliveries } from "#lib/outbound/outbox/manage-deliveries.ts";
import { formatCount } from "#lib/core/format.ts";
import { getSiteTotals } from "#lib/reading/read-totals.ts";

export const generateMetadata = () => adminMetadata("Overview");

interface Attention {
  readonly count: number;
  /** The words after the number. */
  readonly one: string;
  readonly many: string;
  readonly href: string;
  readonly link: string;
}

function AttentionList({ items }: { items: readonly Attention[] }) {
  const open = items.filter(({ count }) => count > 0);
  if (open.length === 0) return <p>Nothing right now.</p>;
  return (
    <ul className="attention">
      {open.map(({ count, one, many, href, link }) => (
        <li key={href}>
          <strong>{count}</strong>
          <span>{count === 1 ? one : many}</span>
          <a href={href}>{link}</a>
        </li>
      ))}
    </ul>
  );
}

function readBackup() {
  const status = findBackupStatus();
  const texts = findBackupProblems(status, processStartMs).map(
    (problem) => BACKUP_PROBLEM_TEXTS[problem],
  );
  return { status, problems: texts };
}

export default async function AdminPage() {
  const { admin, notFoundPage } = await requireAdminPage("/admin");
  if (!admin) return notFoundPage;
  const { posts } = await getIndex();
  const { failures, problem, sourceProblem, scheduled } = getCatalogStatus();
  const data = await read(async (tx) => ({
    users: await countUsers(tx, admin),
    reads: await getSiteTotals(tx),
    calls: (await listReviewQueue(tx, { admin, state: "NEW" })).counts,
    deliveries: await countDeliveries(tx),
    uncertain: await tx.newsletterDelivery.count({ where: { state: "UNCERTAIN" } }),
  }));
  const { users, reads, calls, deliveries, uncertain } = data;
  const lacksFfmpeg = siteConfig.features.calls && !(await canMergeAudio());
  const backup = isBackupOn() ? readBackup() : null;
  const attention: Attention[] = [
    ...(siteConfig.features.calls
      ? [
          {
            count: calls.NEW,
            one: "new call",
            many: "new calls",
            href: "/admin/calls",
            link: "Listen",
          },
          {
            count: calls.REVIEWING,
            one: "call in review",
            many: "calls in review",
            href: "/admin/calls?state=REVIEWING",
            link: "Continue",
          },
          {
            count: calls.ANSWERED,
            one: "call ready to publish",
            many: "calls ready to publish",
            href: "/admin/calls?state=ANSWERED",
            link: "Publish",
          },
        ]
      : []),
    {
      count: failures.length + (problem ? 1 : 0) + (sourceProblem ? 1 : 0),
      one: "post with errors",
      many: "posts with errors",
      href: "/admin/content",
      link: "Details",
    },
    {
      count: deliveries.failed,
      one: "failed delivery",
      many: "failed deliveries",
      href: "/admin/deliveries",
      link: "Details",
    },
    {
      count: listLoginEmailFailures().length,
      one: "unsent login email",
      many: "unsent login emails",
      href: "/admin/deliveries#login",
      link: "Details",
    },
    {
      count: uncertain,
      one: "newsletter email that may not have been delivered",
      many: "newsletter emails that may not have been delivered",
      href: "/admin/newsletter",
      link: "Details",
    },
    {
      count: backup?.problems.length ?? 0,
      one: "problem with the backup",
      many: "problems with the backup",
      href: "#backup",
      link: "Details",
    },
  ];
  const figures = [
    ["Members", formatCount(users.members)],
    ["Admins", formatCount(users.admins)],
    ["Posts", formatCount(posts.length)],
    ...(scheduled.length > 0 ? [["Scheduled", formatCount(scheduled.length)] as const] : []),
    ["Reads", formatCount(reads.reads)],
    ["Readers", formatCount(reads.readers)],
    ...(siteConfig.features.calls ? [["Episodes", formatCount(calls.PUBLISHED)] as const] : []),
  ] as const;
  return (
    <AdminLayout current="overview" title={`Hello, ${admin.firstName}.`}>
      <section className="desk-section" aria-labelledby="attention">
        <h2 id="attention">Needs attention</h2>
        <AttentionList items={attention} />
        {lacksFfmpeg && (
          <p>
            ffmpeg isn’t installed on this server, so new episodes have no merged audio file, and
            some podcast apps can’t play them.
          </p>
        )}
      </section>
      <section className="desk-section" aria-labelledby="totals">
        <h2 id="totals">Totals</h2>
        <dl className="total-row">
          {figures.map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      </section>
      {backup ? (
        <BackupSection {...backup} />
      ) : (
        <section className="desk-section" aria-labelledby="backup">
          <h2 id="backup">Backup</h2>
          <p>
            Backups are off. To turn them on, set <code>BACKUP_BUCKET</code> to a bucket in an
            S3-compatible store.
          </p>
        </section>
      )}
    </AdminLayout>
  );
}
