// Property test: in random histories, neither a member's reads nor joining ever lowers their team's
// score.

import { expect, test } from "vitest";
import { DAY_MS, HOUR_MS } from "#lib/core/clock.ts";
import { type Tx, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { fuzzCount, seededRandom } from "#tests/support/random.ts";
import { claimReads } from "./claim-reads.ts";
import { issueDwellToken } from "./dwell-token.ts";
import { findRecordedLead } from "./lead-changes.sql.ts";
import { recordLeadChanges } from "./lead-changes.ts";
import { listReadSlugs } from "./read-slugs.sql.ts";
import { recordRead } from "./record-read.ts";
import { type Standing, getStandings, mapLeadingTeams } from "./standings.ts";
import { TEAMS, type Team } from "./team.ts";

const SEEDS = fuzzCount(5);
const STEPS = 200;
const START = Date.parse("2025-01-15T12:00:00Z");
const POSTS = ["a-post", "b-post", "c-post", "d-post", "e-post", "f-post"];

interface User {
  id: string;
  team: Team;
}

/** Returns the team's standing on the site and on every post. */
const standingsOf = (tx: Tx, team: Team, nowMs: number): Standing[] =>
  [null, ...POSTS].map((slug) =>
    getStandings(tx, { slug, nowMs }).find((standing) => standing.team === team)!,
  );

/** Runs random events, and calls `compare` with the standings before and after each read. */
async function runHistory(
  tx: Tx,
  seed: number,
  compare: (event: string, before: Standing[], after: Standing[]) => void,
): Promise<void> {
  const next = seededRandom(seed);
  const pick = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
  const listUsers = () => sqlOf(tx).all<User>(`SELECT "id", "team" FROM "User" ORDER BY "rowid"`);
  let nowMs = START;
  const readPost = ({ id, team }: User, event: string) => {
    const before = standingsOf(tx, team, nowMs);
    const slug = pick(POSTS);
    const token = issueDwellToken({ slug, nowMs: nowMs - HOUR_MS });
    recordRead(tx, { token, slug, member: { id }, clientId: null, readingMinutes: 1, nowMs });
    compare(event, before, standingsOf(tx, team, nowMs));
    recordLeadChanges(tx, { slugs: [slug], nowMs });
    const leads = mapLeadingTeams(tx, nowMs);
    for (const post of POSTS)
      expect([post, findRecordedLead(tx, post)]).toEqual([post, leads.get(post) ?? []]);
  };
  for (let step = 0; step < STEPS; step++) {
    const user = pick([undefined, ...listUsers()]);
    const event = next();
    if (event < 0.6) {
      if (user) readPost(user, "read");
    } else if (event < 0.75) {
      const team = pick(TEAMS);
      const clientId = `browser-${step}`;
      for (let i = Math.floor(next() * 3); i > 0; i--)
        insertRead(tx, {
          clientId,
          postSlug: pick(POSTS),
          createdAt: nowMs - Math.floor(next() * 400 * DAY_MS),
        });
      const before = standingsOf(tx, team, nowMs);
      const { id } = insertUser(tx, { team, createdAt: nowMs });
      const { slugs } = await claimReads(tx, { clientId, userId: id });
      compare("join", before, standingsOf(tx, team, nowMs));
      recordLeadChanges(tx, { slugs, nowMs });
      if (next() < 0.7) readPost({ id, team }, "first read");
    } else if (event < 0.82) {
      if (!user) continue;
      const slugs = [...listReadSlugs(tx, { member: user, clientId: null })];
      if (event < 0.78) sqlOf(tx).run(`DELETE FROM "User" WHERE "id" = ?`, user.id);
      else sqlOf(tx).run(`UPDATE "User" SET "team" = ? WHERE "id" = ?`, pick(TEAMS), user.id);
      recordLeadChanges(tx, { slugs, nowMs });
    } else {
      nowMs += Math.round(next() * pick([HOUR_MS, DAY_MS, 7 * DAY_MS, 60 * DAY_MS, 400 * DAY_MS]));
    }
  }
}

for (let seed = 1; seed <= SEEDS; seed++)
  test(`no read and no sign-up lowers a member's own team in history ${seed}`, () =>
    write((tx) =>
      runHistory(tx, seed, (event, before, after) => {
        for (const [i, { readsPerMember }] of after.entries())
          expect(readsPerMember, `${event}, ${POSTS[i - 1] ?? "the site"}`).toBeGreaterThanOrEqual(
            before[i]!.readsPerMember,
          );
      }),
    ));

test("dividing by the number of active members would break the property", () =>
  write(async (tx) => {
    const events = new Set<string>();
    const score = ({ reads, members }: Standing) => (members > 0 ? reads / members : 0);
    await runHistory(tx, 1, (event, before, after) => {
      if (after.some((standing, i) => score(standing) < score(before[i]!))) events.add(event);
    });
    expect([...events]).toContain("first read");
  }));

test("moving a member on the day of their first read doesn't lower the new team", () =>
  write((tx) => {
    for (let i = 0; i < 4; i++) {
      const { id } = insertUser(tx, { team: "RED", createdAt: START });
      for (let read = 0; read < 14; read++)
        insertRead(tx, { userId: id, postSlug: `post-${read}`, createdAt: START + read * DAY_MS });
    }
    const nowMs = START + 170 * DAY_MS;
    const { id } = insertUser(tx, { team: "BLUE", createdAt: nowMs });
    insertRead(tx, { userId: id, createdAt: nowMs });
    const before = standingsOf(tx, "RED", nowMs)[0]!.readsPerMember;
    sqlOf(tx).run(`UPDATE "User" SET "team" = 'RED' WHERE "id" = ?`, id);
    expect(standingsOf(tx, "RED", nowMs)[0]!.readsPerMember).toBeGreaterThan(before);
  }));
