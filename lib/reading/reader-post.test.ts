import { expect, test } from "vitest";
import { DAY_MS, SECOND_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
import { explain, recordStatements, selectRows } from "#tests/support/database.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { findReaderPost } from "./reader-post.sql.ts";
import { listReadingHistory } from "./reading-history.ts";
import { consumePlaceWrite, listOpenPlaces, saveReadingPlace } from "./reading-place.ts";
import { listSavedSlugs, setPostSaved } from "./saved-posts.ts";
import { getStandings } from "./standings.ts";

const insertMember = () => write((tx) => insertUser(tx).id);
const stateOf = (userId: string, slug = "a-post") =>
  read((tx) => findReaderPost(tx, { userId, slug }));
const save = (userId: string, slug: string, isSaved = true) =>
  write((tx) => setPostSaved(tx, { userId, slug, isSaved, nowMs: nowMs() }));
const stopAt = (userId: string, heading: string | null) =>
  write((tx) => saveReadingPlace(tx, { userId, slug: "a-post", heading, nowMs: nowMs() }));

test("a post is saved once, for one member, until it is removed", async () => {
  const [ada, bob] = [await insertMember(), await insertMember()];
  await save(ada, "a-post");
  setClock(nowMs() + SECOND_MS);
  await save(ada, "another-post");
  await save(ada, "a-post");
  expect(await read((tx) => listSavedSlugs(tx, ada))).toEqual(["another-post", "a-post"]);
  expect([(await stateOf(ada)).isSaved, (await stateOf(bob)).isSaved]).toEqual([true, false]);
  await save(bob, "a-post", false);
  await save(ada, "a-post", false);
  await save(ada, "a-post", false);
  expect([(await stateOf(ada)).isSaved, (await stateOf(ada, "another-post")).isSaved]).toEqual([
    false,
    true,
  ]);
});

test("an old place is offered, however many newer ones were finished", async () => {
  const ada = await insertMember();
  const slugs = ["open", ...Array.from({ length: 9 }, (_, i) => `finished-${i}`)];
  for (const slug of slugs) {
    setClock(nowMs() + SECOND_MS);
    await write((tx) =>
      saveReadingPlace(tx, { userId: ada, slug, heading: "end", nowMs: nowMs() }),
    );
    if (slug !== "open")
      await write((tx) => insertRead(tx, { userId: ada, postSlug: slug, createdAt: nowMs() }));
  }
  const listPlaces = (limit: number) =>
    read((tx) => listOpenPlaces(tx, { userId: ada, limit, countedSlugOf: (slug) => slug }));
  expect(await listPlaces(2)).toEqual([{ slug: "open", heading: "end" }]);
  await stopAt(ada, "later");
  expect((await listPlaces(2)).map(({ slug }) => slug)).toEqual(["a-post", "open"]);
  expect((await listPlaces(1)).map(({ slug }) => slug)).toEqual(["a-post"]);
});

test("a place is offered until the post was finished, and again after a second start", async () => {
  const [ada, bob] = [await insertMember(), await insertMember()];
  await write((tx) => insertRead(tx, { userId: ada, postSlug: "a-post", createdAt: nowMs() }));
  setClock(nowMs() + DAY_MS);
  await stopAt(ada, "first");
  await stopAt(ada, "second");
  expect([(await stateOf(ada)).place, (await stateOf(bob)).place]).toEqual(["second", null]);
  setClock(nowMs() + SECOND_MS);
  await write((tx) => insertRead(tx, { userId: bob, postSlug: "a-post", createdAt: nowMs() }));
  expect((await stateOf(ada)).place).toBe("second");
  await write((tx) => insertRead(tx, { userId: ada, postSlug: "a-post", createdAt: nowMs() }));
  expect((await stateOf(ada)).place).toBe(null);
  setClock(nowMs() + DAY_MS);
  await stopAt(ada, "first");
  expect((await stateOf(ada)).place).toBe("first");
  // At the end, although a read counts only once a week.
  await stopAt(ada, null);
  expect((await stateOf(ada)).place).toBe(null);
});

test("posts to continue are the started ones that the member has not finished since", async () => {
  const ada = await insertMember();
  const list = () =>
    read((tx) =>
      listOpenPlaces(tx, {
        userId: ada,
        limit: 2,
        countedSlugOf: (slug) => slug.replace("-auf-deutsch", ""),
      }),
    );
  const stopIn = async (slug: string) => {
    setClock(nowMs() + SECOND_MS);
    await write((tx) =>
      saveReadingPlace(tx, { userId: ada, slug, heading: "here", nowMs: nowMs() }),
    );
  };
  for (const slug of ["one", "two", "three", "three-auf-deutsch"]) await stopIn(slug);
  expect((await list()).map(({ slug }) => slug)).toEqual(["three-auf-deutsch", "three"]);
  setClock(nowMs() + SECOND_MS);
  await write((tx) => insertRead(tx, { userId: ada, postSlug: "three", createdAt: nowMs() }));
  expect(await list()).toEqual([
    { slug: "two", heading: "here" },
    { slug: "one", heading: "here" },
  ]);
  await stopIn("three");
  expect((await list()).map(({ slug }) => slug)).toEqual(["three", "two"]);
});

test("a member's place is written at most once in 30 seconds, whatever the post", () => {
  const startMs = nowMs();
  consumePlaceWrite("ada", startMs);
  consumePlaceWrite("bob", startMs);
  expect(() => consumePlaceWrite("ada", startMs + 29 * SECOND_MS)).toThrow(
    expect.objectContaining({ code: "rate_limited" }),
  );
  consumePlaceWrite("ada", startMs + 30 * SECOND_MS);
});

test("the history has every counted read of the member by page, and says what still counts", async () => {
  const [ada, bob] = [await insertMember(), await insertMember()];
  await write((tx) => {
    for (const [slug, days] of [
      ["new", 1],
      ["old", 100],
      ["older", 300],
    ] as const)
      insertRead(tx, { userId: ada, postSlug: slug, createdAt: nowMs() - days * DAY_MS });
    insertRead(tx, { userId: bob, postSlug: "of-bob" });
    insertRead(tx, { userId: null, clientId: "x", postSlug: "of-a-guest" });
  });
  const pageOf = (page: number) =>
    read((tx) => listReadingHistory(tx, { userId: ada, page, pageSize: 2, nowMs: nowMs() }));
  const first = await pageOf(1);
  expect([first.total, first.page, first.pageCount]).toEqual([3, 1, 2]);
  expect(first.entries.map(({ slug, counts }) => [slug, counts])).toEqual([
    ["new", true],
    ["old", true],
  ]);
  for (const page of [2, 9])
    expect(await pageOf(page)).toMatchObject({
      page: 2,
      entries: [{ slug: "older", counts: false }],
    });
  expect((await pageOf(-3)).page).toBe(1);
});

test("a read at any time on the first day of the window counts, as in the standings", async () => {
  const ada = await insertMember();
  const now = Date.UTC(2026, 10, 30, 12);
  const createdAt = Date.UTC(2026, 4, 30, 8);
  await write((tx) => insertRead(tx, { userId: ada, postSlug: "early", createdAt }));
  const { entries } = await read((tx) => listReadingHistory(tx, { userId: ada, nowMs: now }));
  const standings = await read((tx) => getStandings(tx, { slug: "early", nowMs: now }));
  expect(standings[0]!.reads).toBe(1);
  expect(entries.map(({ counts }) => counts)).toEqual([true]);
});

test("deleting the member deletes their saved posts and places", async () => {
  const ada = await insertMember();
  await save(ada, "a-post");
  await stopAt(ada, "first");
  await write((tx) => tx.user.deleteMany({ where: { id: ada } }));
  for (const table of ["SavedPost", "ReadingPlace"])
    expect(await selectRows(`SELECT * FROM "${table}"`)).toEqual([]);
});

test("a page of a member finds them with one statement, through indexes alone", async () => {
  const ada = await insertMember();
  const statements = await recordStatements(() => stateOf(ada));
  const [statement] = statements.filter((each) => each.includes("SavedPost"));
  const steps = await explain(statement!);
  expect(steps.filter((step) => step.startsWith("SEARCH"))).toHaveLength(3);
  expect(steps.filter((step) => /^SCAN (?!CONSTANT|\(subquery)/.test(step))).toEqual([]);
});
