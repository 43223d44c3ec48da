import { expect, test } from "vitest";
import { DAY_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { write } from "#lib/db/database.ts";
import { createSession } from "#lib/members/sessions.ts";
import { recordStatements } from "#tests/support/database.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { readPostPageData, readSitePageData } from "./page-data.ts";

const NOBODY = { sessionKey: null, clientId: null };

async function redReads(slug: string) {
  const { standings, reads } = await readPostPageData(NOBODY, slug);
  return [reads, standings.find(({ team }) => team === "RED")?.reads];
}

test("a read is in the page's data immediately, and leaves the standings when its window ends", async () => {
  const user = await write((tx) => insertUser(tx, { team: "RED" }));
  expect(await redReads("a-post")).toEqual([0, 0]);
  await write((tx) => insertRead(tx, { userId: user.id, postSlug: "a-post" }));
  expect(await redReads("a-post")).toEqual([1, 1]);
  expect(await redReads("another-post")).toEqual([0, 0]);
  // Nothing is written in between.
  setClock(nowMs() + 220 * DAY_MS);
  expect(await redReads("a-post")).toEqual([1, 0]);
  const site = await readSitePageData(NOBODY);
  expect(site.totals.reads).toBe(1);
  expect(site.standings.every(({ reads }) => reads === 0)).toBe(true);
});

test("each viewer gets their own part, and a member's page reads their session, the slugs of what they read, and their state of the post", async () => {
  const [ada, bob] = await write(async (tx) => {
    const users = [insertUser(tx, { firstName: "Ada" }), insertUser(tx, { firstName: "Bob" })];
    insertRead(tx, { userId: users[0]!.id, postSlug: "of-ada" });
    const sessions = [];
    for (const { id } of users)
      sessions.push({
        sessionKey: hashSecret((await createSession(tx, id)).id),
        clientId: null,
      });
    return sessions;
  });
  const seen = await Promise.all(
    [ada!, bob!, NOBODY, ada!].map((sessionIds) => readPostPageData(sessionIds, "a-post")),
  );
  expect(seen.map(({ viewer, readSlugs }) => [viewer.member?.firstName, [...readSlugs]])).toEqual([
    ["Ada", ["of-ada"]],
    ["Bob", []],
    [undefined, []],
    ["Ada", ["of-ada"]],
  ]);
  // The session, the member (the only query through Prisma), the slugs, and the state.
  expect(await recordStatements(() => readPostPageData(ada!, "a-post"))).toEqual([
    expect.stringContaining("data_version"),
    expect.stringContaining(`FROM "Session"`),
    expect.stringContaining("`User`"),
    expect.stringContaining(`SELECT DISTINCT "postSlug" FROM "PostRead"`),
    expect.stringContaining(`"SavedPost"`),
  ]);
});
