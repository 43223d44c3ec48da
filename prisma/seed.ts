// Seeds a new database with example members and reads from a fixed random seed, so that standings
// and counts have data.

import { readdirSync } from "node:fs";
import { DAY_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { TEAMS } from "#lib/db/column-values.ts";
import { write } from "#lib/db/database.ts";
import { recordLeadChanges } from "#lib/reading/lead-changes.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { seededRandom } from "#tests/support/random.ts";

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

function listPostSlugs(): string[] {
  return readdirSync("content/blog", { withFileTypes: true })
    .filter(({ name }) => !name.startsWith("_") && !name.startsWith("."))
    .map(({ name }) => name.replace(/\.mdx?$/, ""))
    .sort();
}

/** Inserts twelve members, four per team, and a few months of reads. Returns the counts. */
export async function seedDatabase(): Promise<{ members: number; reads: number }> {
  const next = seededRandom(1);
  const posts = listPostSlugs();
  return write((tx) => {
    let reads = 0;
    const now = nowMs();
    const users = NAMES.map((firstName, i) =>
      insertUser(tx, {
        firstName,
        email: `${firstName.toLowerCase()}@example.test`,
        team: TEAMS[i % 3],
        createdAt: now - 200 * DAY_MS,
      }),
    );
    for (const [p, postSlug] of posts.entries()) {
      const popularity = 4 + Math.floor(next() * 30);
      for (let i = 0; i < popularity; i++) {
        const reader = users[Math.floor(next() * users.length)];
        // More than a week apart per reader, so that every read counts.
        const createdAt =
          now - (i * 12 + Math.floor(next() * 5)) * DAY_MS - Math.floor(next() * 600) * MINUTE_MS;
        insertRead(
          tx,
          next() < 0.5 && reader
            ? { userId: reader.id, clientId: null, postSlug, createdAt }
            : { clientId: `example-${p}-${i}`, postSlug, createdAt },
        );
        reads += 1;
      }
    }
    recordLeadChanges(tx, { slugs: posts, nowMs: now });
    return { members: users.length, reads };
  });
}
