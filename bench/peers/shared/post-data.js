// Reads a post page's data with the site's own queries (bench/site/post-page-data.sql.ts), and counts
// a read. Each peer passes its own connection.

import { createHash, randomUUID } from "node:crypto";
import { posts } from "./posts.js";

const TEAMS = ["RED", "BLUE", "YELLOW"];
const DAY_MS = 86_400_000;
/** The site itself reads what everyone shares again after a commit, or after a second. */
const SHARED_TTL_MS = 1_000;
const DEDUPLICATION_WINDOW_MS = 7 * DAY_MS;

const MEMBER_SQL = `SELECT u."id", u."firstName", u."team", u."role" FROM "Session" s
  JOIN "User" u ON u."id" = s."userId" WHERE s."id" = ? AND s."expirationDate" > ?`;
const READ_SLUGS_SQL = `SELECT DISTINCT "postSlug" FROM "PostRead" WHERE "userId" = ?`;
const TOTALS_SQL = `SELECT "postSlug", "reads" FROM "PostTotal"`;
const TEAM_READS_SQL = `SELECT "postSlug", "team", SUM("reads") AS "reads" FROM "PostTeamDay"
  WHERE "day" >= ? AND "team" <> 'UNKNOWN' GROUP BY 1, 2`;
const ACTIVE_SQL = `SELECT "team", SUM("members") AS "members" FROM "TeamActiveDay" WHERE "day" >= ? GROUP BY 1`;
const MISSING_DAYS_SQL = `SELECT "team", SUM("members" * (MIN("day", ?) - ?)) AS "days" FROM "TeamActiveSince"
  WHERE "day" > ? GROUP BY 1`;

/** Returns the database's key of the session whose ID the cookie has. */
export const sessionKeyOf = (cookie) =>
  cookie ? createHash("sha256").update(cookie).digest("hex") : null;

const subtractMonths = (nowMs, months) => {
  const date = new Date(nowMs);
  date.setUTCMonth(date.getUTCMonth() - months);
  return Math.floor(date.getTime() / DAY_MS);
};

const byTeam = (rows, field) =>
  Object.fromEntries(
    TEAMS.map((team) => [team, Number(rows.find((row) => row.team === team)?.[field] ?? 0)]),
  );

/** Resolves to the data that all readers share. `all` runs a query, and may be asynchronous. */
export async function queryShared(all, nowMs = Date.now()) {
  const today = Math.floor(nowMs / DAY_MS);
  const readsFrom = subtractMonths(nowMs, 6);
  const windowDays = today - readsFrom;
  const active = byTeam(await all(ACTIVE_SQL, subtractMonths(nowMs, 12)), "members");
  const missing = byTeam(await all(MISSING_DAYS_SQL, today, readsFrom, readsFrom), "days");
  const teamReads = await all(TEAM_READS_SQL, readsFrom);
  const rank = (slug) => {
    const reads = byTeam(
      teamReads.filter(({ postSlug }) => postSlug === slug),
      "reads",
    );
    return TEAMS.map((team) => {
      const days = Math.max(windowDays, active[team] * windowDays - missing[team]);
      return { team, reads: reads[team], score: (reads[team] * windowDays) / days };
    }).sort((a, b) => b.score - a.score);
  };
  const totals = await all(TOTALS_SQL);
  return {
    standings: new Map(posts.map(({ slug }) => [slug, rank(slug)])),
    totals: new Map(totals.map(({ postSlug, reads }) => [postSlug, Number(reads)])),
  };
}

/** Returns a function that calls `load` at most once a second. */
export function cachedForASecond(load) {
  let cached;
  return () => {
    if (!cached || Date.now() - cached.atMs > SHARED_TTL_MS)
      cached = { atMs: Date.now(), value: load() };
    return cached.value;
  };
}

/** Returns what a page of the post `slug` shows. `slugs` are the posts that the member has read. */
export function describePage({ slug, member, slugs, shared }) {
  const post = posts.find((each) => each.slug === slug);
  if (!post) return null;
  const readSlugs = new Set(slugs);
  const reads = (other) => shared.totals.get(other.slug) ?? 0;
  return {
    post,
    member: member && { firstName: member.firstName, team: member.team },
    reads: reads(post),
    standings: shared.standings.get(slug),
    recommendations: posts
      .filter((other) => other !== post)
      .map((other) => ({
        ...other,
        isRead: readSlugs.has(other.slug),
        leader: shared.standings.get(other.slug)[0].team,
      }))
      .sort((a, b) => a.isRead - b.isRead || reads(b) - reads(a))
      .slice(0, 3),
  };
}

/** Returns the same in plain SQL over a connection of better-sqlite3. */
export function createPageReader(db) {
  const member = db.prepare(MEMBER_SQL);
  const slugs = db.prepare(READ_SLUGS_SQL).pluck();
  const shared = cachedForASecond(() =>
    queryShared((sql, ...values) => db.prepare(sql).all(...values)),
  );
  return async (slug, cookie) => {
    const key = sessionKeyOf(cookie);
    const viewer = key === null ? null : (member.get(key, Date.now()) ?? null);
    return describePage({
      slug,
      member: viewer,
      slugs: viewer ? slugs.all(viewer.id) : [],
      shared: await shared(),
    });
  };
}

/**
 * Returns a function that counts a read of an anonymous reader, unless its token (`nonce.issuedMs`)
 * is used or this reader's read counted within seven days. The database's triggers update the
 * counters.
 */
export function createReadCounter(db) {
  const used = db.prepare(
    `INSERT INTO "UsedToken" ("nonce", "expiresAt") VALUES (?, ?) ON CONFLICT DO NOTHING`,
  );
  const insert = db.prepare(
    `INSERT INTO "PostRead" ("id", "createdAt", "userId", "clientId", "postSlug")
     SELECT @id, @now, NULL, @clientId, @slug WHERE NOT EXISTS (SELECT 1 FROM "PostRead"
     WHERE "clientId" = @clientId AND "userId" IS NULL AND "postSlug" = @slug AND "createdAt" > @since)`,
  );
  return db.transaction(({ slug, token, clientId }) => {
    const now = Date.now();
    const [nonce, issuedMs] = token.split(".");
    if (used.run(nonce, Number(issuedMs) + DAY_MS).changes === 0) return false;
    insert.run({ id: randomUUID(), now, clientId, slug, since: now - DEDUPLICATION_WINDOW_MS });
    return true;
  }).immediate;
}
