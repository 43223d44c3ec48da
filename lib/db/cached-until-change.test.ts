import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { env } from "#lib/core/env.ts";
import { cachedUntilChange } from "./cached-until-change.ts";
import { read, write } from "./database.ts";

const addPost = (postSlug: string) =>
  write((tx) => tx.postTotal.create({ data: { postSlug, reads: 1 } }));

/** Returns functions for the cached number of posts and for how often it was loaded. */
function counter() {
  let loads = 0;
  const count = () =>
    read(async (tx) => {
      const { posts } = await cachedUntilChange(tx, "posts", async () => {
        loads += 1;
        return { posts: await tx.postTotal.count() };
      });
      return posts;
    });
  return { count, loads: () => loads };
}

test("a value is cached until this or another process changes the database", async () => {
  const { count, loads } = counter();
  expect([await count(), await count(), await count()]).toEqual([0, 0, 0]);
  expect(loads()).toBe(1);
  await addPost("a");
  expect([await count(), await count()]).toEqual([1, 1]);
  expect(loads()).toBe(2);
  const other = new Database(env.DATABASE_FILE);
  other.exec(`INSERT INTO "PostTotal" VALUES ('b', 1)`);
  other.close();
  expect([await count(), await count()]).toEqual([2, 2]);
  expect(loads()).toBe(3);
});

test("a rolled-back write does not change the value, and a write does not see a cached one", async () => {
  const { count } = counter();
  await count();
  await expect(
    write(async (tx) => {
      await tx.postTotal.create({ data: { postSlug: "a", reads: 1 } });
      const { posts } = await cachedUntilChange(tx, "posts", async () => ({
        posts: await tx.postTotal.count(),
      }));
      expect(posts).toBe(1);
      throw new Error("roll back");
    }),
  ).rejects.toThrow("roll back");
  expect(await count()).toBe(0);
});

test("a read during commits never gets an older state than when it started", async () => {
  const { count } = counter();
  let committed = 0;
  let isDone = false;
  const reading = (async () => {
    while (!isDone) {
      const before = committed;
      expect(await count()).toBeGreaterThanOrEqual(before);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  for (let i = 0; i < 200; i++) {
    await addPost(String(i));
    committed += 1;
  }
  isDone = true;
  await reading;
  expect(await count()).toBe(200);
});

test("in a read, it throws after another query", async () => {
  await expect(
    read(async (tx) => {
      await tx.user.count();
      return cachedUntilChange(tx, "posts", () => ({}));
    }),
  ).rejects.toThrow(/before the first query/);
});
