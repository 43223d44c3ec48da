// Sends a newsletter issue while primaries are killed: no one gets two emails, and no one is missed,
// except where SMTP can't tell. NEWSLETTER_RECIPIENTS and NEWSLETTER_KILLS set the size.

import Database from "better-sqlite3";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { ClusterClient } from "#tests/support/cluster/cluster-client.ts";
import { expireLease } from "#tests/support/cluster/lease.ts";
import { queryNode, seedMembers } from "#tests/support/cluster/node-database.ts";
import type { TestSmtpServer } from "#tests/support/smtp-server.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

const RECIPIENTS = Number(process.env.NEWSLETTER_RECIPIENTS ?? 150);
const KILLS = Number(process.env.NEWSLETTER_KILLS ?? 1);
/** The sender's connections: at most one message of each is in flight. */
const CONNECTIONS = 2;
const SEED_BATCH = 1_000;
const POST = "one-key-one-producer";

const addressOf = (i: number) => `reader-${i}@example.test`;

/** Adds the subscribers, in transactions short enough not to delay LiteFS's heartbeat. */
async function seedSubscribers(cluster: Cluster): Promise<void> {
  for (let from = 0; from < RECIPIENTS; from += SEED_BATCH) {
    const primary = await cluster.waitForPrimary();
    const db = new Database(primary.databaseFile, { timeout: 10_000 });
    const insert = db.prepare(
      `INSERT INTO "Subscriber" ("id", "email", "subscribedAt") VALUES (?, ?, ?)`,
    );
    db.transaction(() => {
      for (let i = from; i < Math.min(from + SEED_BATCH, RECIPIENTS); i += 1)
        insert.run(`subscriber-${i}`, addressOf(i), Date.now());
    }).immediate();
    db.close();
    await cluster.waitUntilInSync();
  }
}

/** Returns a browser that is logged in as an admin. */
async function logInAdmin(cluster: Cluster): Promise<ClusterClient> {
  const [admin] = await seedMembers(cluster, 1);
  const primary = await cluster.waitForPrimary();
  const db = new Database(primary.databaseFile, { timeout: 10_000 });
  db.prepare(`UPDATE "User" SET "role" = 'ADMIN' WHERE "id" = ?`).run(admin!.id);
  db.close();
  await cluster.waitUntilInSync();
  return new ClusterClient(cluster, { session: admin!.session });
}

/** Writes an issue and sends it through a replica. Returns its page. */
async function sendIssue(cluster: Cluster, admin: ClusterClient): Promise<string> {
  const list = "/admin/newsletter";
  const draft = await admin.submitForm("ams", list, await admin.findForm("ams", list, ["slug"]), {
    slug: POST,
  });
  const { pathname } = new URL(String(draft.headers.location), "http://localhost");
  const form = await admin.findForm("ams", pathname, ["subject"]);
  const sent = await admin.submitForm("ams", pathname, form, { intent: "send" });
  expect(sent.status, sent.text.slice(0, 500)).toBe(303);
  // Skips the minute in which an admin can cancel.
  const primary = await cluster.waitForPrimary();
  const db = new Database(primary.databaseFile, { timeout: 10_000 });
  db.prepare(`UPDATE "NewsletterIssue" SET "sendAt" = ?`).run(Date.now());
  db.close();
  return pathname;
}

/** Kills the primary, waits for the next one, and repairs the cluster. */
async function killPrimary(cluster: Cluster): Promise<void> {
  const old = await cluster.waitForPrimary();
  await old.kill();
  await expireLease(cluster);
  await waitUntil(
    "Another node is primary",
    60_000,
    async () => (await cluster.findPrimary())?.name ?? old.name,
    (name) => name !== old.name,
  );
  old.start();
  const standby = await cluster.waitForStandby(90_000);
  const primary = await cluster.waitForPrimary();
  await waitUntil(
    `${standby.name} holds durable writes`,
    60_000,
    async () =>
      ((await (await fetch(`${primary.url}/readyz`)).json()) as { standby: string }).standby,
    (state) => state === "connected",
  );
}

/** Moves the received emails into `counts`, because 10,000 of them don't fit in memory. */
function collect(smtp: TestSmtpServer, counts: Map<string, number>): number {
  for (const { to } of smtp.emails.splice(0))
    if (to[0]?.startsWith("reader-")) counts.set(to[0], (counts.get(to[0]) ?? 0) + 1);
  return counts.size;
}

const describeIssue = (text: string, name: string) =>
  Number(new RegExp(`<dt>${name}</dt><dd>([\\d,]+)</dd>`).exec(text)?.[1]?.replace(/,/g, ""));

test("an issue sent while primaries die reaches everyone once, except where SMTP can't tell", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(300_000 + KILLS * 180_000 + RECIPIENTS * 100);
  const admin = await logInAdmin(cluster);
  await seedSubscribers(cluster);
  const counts = new Map<string, number>();
  const startedMs = performance.now();
  const page = await sendIssue(cluster, admin);
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const enough = (kill * RECIPIENTS) / (KILLS + 2);
    await waitUntil(
      `${enough} emails have arrived`,
      120_000 + RECIPIENTS * 50,
      () => Promise.resolve(collect(smtp, counts)),
      (count) => count >= enough,
    );
    await killPrimary(cluster);
  }
  const primary = await cluster.waitForPrimary();
  await waitUntil(
    "The issue is sent",
    120_000 + RECIPIENTS * 50,
    () => {
      collect(smtp, counts);
      const [issue] = queryNode<{ state: string }>(
        primary,
        `SELECT "state" FROM "NewsletterIssue"`,
      );
      return Promise.resolve(issue!.state);
    },
    (state) => state === "SENT",
  );
  collect(smtp, counts);
  const uncertain = queryNode<{ email: string }>(
    primary,
    `SELECT "email" FROM "NewsletterDelivery" JOIN "Subscriber" ON "id" = "subscriberId" WHERE "state" = 'UNCERTAIN'`,
  ).map(({ email }) => email);
  const missed = Array.from({ length: RECIPIENTS }, (_, i) => addressOf(i)).filter(
    (email) => !counts.has(email) && !uncertain.includes(email),
  );
  const twice = [...counts].filter(([, count]) => count > 1);
  console.log(
    "newsletter:",
    JSON.stringify({
      recipients: RECIPIENTS,
      kills: KILLS,
      received: counts.size,
      twice: twice.length,
      missed: missed.length,
      uncertain: uncertain.length,
      uncertainButReceived: uncertain.filter((email) => counts.has(email)).length,
      seconds: Math.round((performance.now() - startedMs) / 1_000),
    }),
  );
  expect(twice, "no one gets two").toEqual([]);
  expect(missed, "no one is missed").toEqual([]);
  expect(uncertain.length).toBeLessThanOrEqual(KILLS * CONNECTIONS);

  // The admin page shows the count, once ams has it.
  await cluster.waitUntilInSync();
  const { text } = await admin.request("ams", page);
  expect(describeIssue(text, "Recipients")).toBe(RECIPIENTS);
  expect(describeIssue(text, "Uncertain")).toBe(uncertain.length);
  expect(describeIssue(text, "Sent")).toBe(RECIPIENTS - uncertain.length);
  admin.close();
});
