// Mixes the requests of two members, a reader and a stranger, with every cookie and header that
// might confuse a cache, and compares each page with the one its reader gets alone.
// `PERSONAL_PAGE_REQUESTS=10000` sends more.

import { randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync, brotliDecompressSync } from "node:zlib";
import { createReaderId, signReaderId } from "#lib/reading/reader-id.ts";
import { RENDER_HEADER } from "#lib/core/render-request.ts";
import { sessionCookieHeader } from "#tests/support/attack/attack-fixture.ts";
import { type AttackRequest, sendAttack } from "#tests/support/attack/attack-client.ts";
import { expect, test } from "#tests/support/attack/fixtures.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { createSql } from "#lib/db/connection.ts";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { insertRead } from "#tests/support/factories.ts";
import { assertInvariant } from "#tests/support/invariants.ts";
import { pick, seededRandom } from "#tests/support/random.ts";

// Next's own cache keeps the pages of earlier tests for a minute, regardless of the site's clock.
test.use({ siteName: "personal-pages" });

/** What lib/http/page-template.ts puts around a personal part. */
const MARK = /<!--[0-9a-f]{36}/;
const REQUESTS = Number(process.env.PERSONAL_PAGE_REQUESTS ?? 300);
const CONCURRENT = 12;

interface Reader {
  readonly name: string;
  readonly cookie: string | undefined;
}

const ENCODINGS = [undefined, "gzip", "br", "gzip, br", "identity", "br;q=0, gzip"];

/** Returns headers and cookies that change nothing of what this reader may see. */
function confuse(
  random: () => number,
  others: readonly string[],
  etag: string,
): AttackRequest["headers"] {
  return {
    "accept-encoding": pick(random, ENCODINGS),
    ...pick(random, [
      {},
      { "if-none-match": etag },
      { "if-none-match": "*" },
      { [RENDER_HEADER]: randomBytes(24).toString("base64url") },
      { [RENDER_HEADER]: "" },
      { range: "bytes=0-99" },
      { purpose: "prefetch", "sec-purpose": "prefetch" },
      { accept: "*/*" },
      { authorization: `Bearer ${pick(random, others)}` },
      { "x-forwarded-host": "evil.example", "x-original-url": "/me" },
      { "x-middleware-subrequest": "middleware", "x-nextjs-data": "1" },
    ]),
  };
}

/** Returns the reader's cookies among others of theirs and, before them, a stolen one by that name. */
function mixCookies(random: () => number, { cookie }: Reader, others: readonly string[]): string {
  const noise = pick(random, ["a=b", "theme=dark; x=%zz", "session=x; reader=y", "__Host-txid=z"]);
  const stolen = cookie?.startsWith("__Host-session") ? `${pick(random, others)}; ` : "";
  return [`${stolen}${noise}`, cookie].filter(Boolean).join("; ");
}

function decode(bytes: Buffer, encoding: string | undefined): string {
  if (encoding === "gzip") return String(gunzipSync(bytes));
  return String(encoding === "br" ? brotliDecompressSync(bytes) : bytes);
}
/** Returns the HTML without Next's scripts and preloads, which only some pages have. */
const visible = (html: string) =>
  html.replace(/<script[^]*?<\/script>|<link rel="preload"[^>]*>/g, "").replace(/<!-- -->/g, "");

test("a request with a query, sent while a page is rendered for the page cache, changes neither", async ({
  insertFixture,
}) => {
  const { owner } = await insertFixture();
  const index = (await sendAttack({ path: "/llms.txt" })).text;
  const posts = [...index.matchAll(/\/blog\/([\w-]+)\.md/g)].map(([, slug]) => `/blog/${slug!}`);
  const fail: string[] = [];
  for (const [i, path] of ["/", ...posts].entries()) {
    const shared = sendAttack({ path });
    // The moment when it is rendered differs between machines.
    await sleep(i / 2);
    const answers = await Promise.all([shared, sendAttack({ path: `${path}?a` })]);
    for (const { text } of answers) if (MARK.test(text)) fail.push(`${path} has a mark`);
    const own = await sendAttack({ path, cookie: owner.cookie });
    if (!own.text.includes('href="/me"')) fail.push(`${path} is not the member's own`);
  }
  assertInvariant("no page has marks, and each has its personal parts", fail);
});

test("no byte of one reader's page is in the page of another", async ({
  site: { db },
  insertFixture,
  setClock,
}) => {
  test.setTimeout(60_000 + REQUESTS * 60);
  const random = seededRandom(16);
  const { owner, neighbor } = await insertFixture();
  const index = (await sendAttack({ path: "/llms.txt" })).text;
  const slugs = [...index.matchAll(/\/blog\/([\w-]+)\.md/g)].map(([, slug]) => slug!);
  expect(slugs.length).toBeGreaterThan(3);
  const sitemap = (await sendAttack({ path: "/sitemap.xml" })).text;
  const [topic, year, episode] = [
    /\/blog\/topics\/[^<]+/,
    /\/blog\/archive\/\d+/,
    /\/calls\/[^<]+/,
  ].map((pattern) => pattern.exec(sitemap)![0]) as [string, string, string];
  const clientId = createReaderId(Date.now());
  const logIn = async (userId: string) =>
    sessionCookieHeader((await insertMemberSession(db, userId)).value);
  const readers: readonly Reader[] = [
    { name: "owner", cookie: await logIn(owner.id) },
    { name: "neighbor", cookie: await logIn(neighbor.id) },
    { name: "reader", cookie: `__Host-reader=${signReaderId(clientId)}` },
    { name: "stranger", cookie: undefined },
  ];
  const sql = createSql(db);
  insertRead(sql, { userId: owner.id, postSlug: slugs[0] });
  insertRead(sql, { userId: neighbor.id, postSlug: slugs[1] });
  insertRead(sql, { clientId, postSlug: slugs[2] });
  // A page that was rendered before these reads is served for a minute.
  await setClock(2 * MINUTE_MS);
  const files = [
    "/feed.xml",
    "/sitemap.xml",
    "/calls/feed.xml",
    `/blog/${slugs[0]}.md`,
    `/blog/${slugs[0]}/social.png`,
  ];
  const paths = [
    ...files,
    "/",
    "/blog",
    "/teams",
    "/calls",
    "/about",
    "/how-we-count",
    "/privacy",
    "/contact",
    episode,
    topic,
    year,
    ...slugs.slice(0, 4).map((slug) => `/blog/${slug}`),
  ];

  const alone = new Map<string, string>();
  const etags = new Map<string, string>();
  for (const reader of readers)
    for (const path of paths) {
      const { status, text, headers } = await sendAttack({ path, cookie: reader.cookie });
      expect(status, `${path} for ${reader.name}`).toBe(200);
      alone.set(`${reader.name} ${path}`, visible(text));
      if (!reader.cookie) etags.set(path, String(headers.etag));
    }
  expect(new Set(readers.map(({ name }) => alone.get(`${name} /`))).size).toBe(readers.length);

  const wrong: string[] = [];
  let sent = 0;
  const sessions = readers.flatMap(({ cookie }) => (cookie?.includes("session") ? [cookie] : []));
  const sendNext = async (): Promise<void> => {
    while (sent < REQUESTS) {
      sent += 1;
      const reader = pick(random, readers);
      const path = pick(random, paths);
      const others = sessions.filter((cookie) => cookie !== reader.cookie);
      const headers = confuse(random, others, etags.get(path)!);
      const cookie = mixCookies(random, reader, others);
      const answer = await sendAttack({ path, cookie, headers });
      const body = decode(answer.bytes, answer.headers["content-encoding"]);
      const own = alone.get(`${reader.name} ${path}`)!;
      // A 304 is right only if this reader could have this version: a file, or a page without cookies.
      const isEveryones = files.includes(path) || !reader.cookie;
      const isUnchanged = answer.status === 304 && body === "" && isEveryones;
      const isRange =
        answer.status === 206 && files.includes(path) && own.startsWith(body.slice(0, 40));
      if (visible(body) !== own && !isUnchanged && !isRange)
        wrong.push(`${answer.status} ${path} for ${reader.name} with ${JSON.stringify(headers)}`);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT }, sendNext));
  assertInvariant("each reader gets their own page", wrong);
});
