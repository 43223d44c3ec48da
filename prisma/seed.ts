// Seeds a new database with example members, a year of reads and two episodes, from a fixed random
// seed, and removes them again.

import { readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DAY_MS, epochDay, nowMs } from "#lib/core/clock.ts";
import { TEAMS } from "#lib/db/column-values.ts";
import { type Tx, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { recordLeadChanges } from "#lib/reading/lead-changes.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { seededRandom } from "#tests/support/random.ts";
import { insertExampleEpisodes } from "./example-episodes.ts";
import { type ExamplePost, makeExampleReads, makeExampleViews } from "./example-reads.ts";

const NAMES = [
  "Ada",
  "Barbara",
  "Claude",
  "Donald",
  "Edsger",
  "Frances",
  "Grace",
  "Hedy",
  "Ivan",
  "Jean",
  "Katherine",
  "Leslie",
];

/** A reserved domain (RFC 2606), so no person has such an address. */
const EXAMPLE_DOMAIN = "example.test";

/** Returns the published posts of content/blog with their dates. */
function listPublishedPosts(now: number): ExamplePost[] {
  return readdirSync("content/blog")
    .filter((name) => !/^[._]/.test(name))
    .flatMap((name) => {
      const path = join("content/blog", name);
      const file = statSync(path).isDirectory() ? join(path, "index.mdx") : path;
      const text = readFileSync(file, "utf8");
      const date = /^date: *["']?(\d{4}-\d{2}-\d{2})/m.exec(text)?.[1];
      const publishedMs = Date.parse(date ?? "");
      if (!(publishedMs <= now) || /^draft: *true/m.test(text)) return [];
      return [{ slug: name.replace(/\.mdx?$/, ""), publishedMs }];
    });
}

/** Inserts members who joined over time, their reads, and two episodes. Returns the counts. */
export async function seedDatabase(): Promise<{
  members: number;
  reads: number;
  episodes: number;
}> {
  const random = seededRandom(1);
  const now = nowMs();
  return write(async (tx) => {
    const members = NAMES.map((firstName, i) =>
      insertUser(tx, {
        firstName,
        email: `${firstName.toLowerCase()}@${EXAMPLE_DOMAIN}`,
        team: TEAMS[i % 3]!,
        createdAt: now - (330 - 25 * i) * DAY_MS,
      }),
    );
    const posts = listPublishedPosts(now);
    const reads = makeExampleReads(posts, members, { nowMs: now, random });
    let day = 0;
    const slugs = new Set<string>();
    const recordDay = (endMs: number) => recordLeadChanges(tx, { slugs: [...slugs], nowMs: endMs });
    for (const read of reads) {
      if (epochDay(read.createdAt) !== day) recordDay(day * DAY_MS + DAY_MS - 1);
      day = epochDay(read.createdAt);
      insertRead(tx, read);
      slugs.add(read.postSlug);
    }
    recordDay(now);
    await tx.dailyViews.createMany({ data: makeExampleViews(reads, random) });
    const episodes = await insertExampleEpisodes(tx, [members[4]!, members[6]!], now);
    return { members: members.length, reads: reads.length, episodes };
  });
}

/** Deletes what seedDatabase() inserted, in the caller's write transaction. Returns whether any was. */
export function removeExampleData(tx: Tx): boolean {
  const sql = sqlOf(tx);
  const { changes } = sql.run(`DELETE FROM "User" WHERE "email" LIKE '%@${EXAMPLE_DOMAIN}'`);
  const anonymous = sql.run(`DELETE FROM "PostRead" WHERE "clientId" LIKE 'example-%'`).changes;
  if (changes + anonymous === 0) return false;
  // Views have no reader, so example views can't be told apart from others.
  sql.run(`DELETE FROM "DailyViews"`);
  // Only lead changes remain of their reads.
  sql.run(
    `DELETE FROM "OwnershipChange" WHERE "postSlug" <> '' AND "postSlug" NOT IN (SELECT "postSlug" FROM "PostTotal")`,
  );
  if (sql.get(`SELECT 1 FROM "PostRead" LIMIT 1`) === undefined)
    sql.run(`DELETE FROM "OwnershipChange"`);
  sql.run(`DELETE FROM "LeadCheck"`);
  return true;
}
