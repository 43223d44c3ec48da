import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { read } from "#lib/db/database.ts";
import { modificationMs, publicationMs } from "#lib/posts/post-dates.ts";
import type { Catalog } from "./catalog.ts";
import { findPublishedVersion } from "./published-version.ts";
import {
  makePostText,
  setUpContentSites,
  waitUntilCompiled,
} from "#tests/support/content-site-fixture.ts";

const sites = setUpContentSites();

/** Returns when the post was changed, as its pages and feeds say, or null if it was not. */
async function findChange(site: Catalog, slug: string): Promise<string | null> {
  const post = (await site.findPostBySlug(slug))!;
  const modified = modificationMs(post);
  return modified === publicationMs(post) ? null : new Date(modified).toISOString();
}

/** Waits until the site has recorded the changes of what it serves. */
async function waitUntilRecorded(site: Catalog, posts: number): Promise<void> {
  await expect
    .poll(async () => {
      await site.refresh();
      return read(async (tx) => (await tx.postChange.findMany()).length);
    })
    .toBe(posts);
  await site.refresh();
}

function git(args: readonly string[], committedAt = ""): void {
  execFileSync("git", ["-C", sites.dir, ...args], {
    env: {
      ...process.env,
      GIT_CONFIG_GLOBAL: "/dev/null",
      GIT_AUTHOR_NAME: "Ada",
      GIT_AUTHOR_EMAIL: "ada@example.com",
      GIT_COMMITTER_NAME: "Ada",
      GIT_COMMITTER_EMAIL: "ada@example.com",
      GIT_COMMITTER_DATE: committedAt,
    },
  });
}

function commitAll(committedAt: string): void {
  git(["add", "--all"]);
  git(["commit", "--quiet", "--message", "Write"], committedAt);
}

test("an edited post has the time of the version with the edit, even after a restart and on a replica", async () => {
  sites.writeFile("blog/a.mdx", makePostText("A", "2026-01-01"));
  sites.writeFile("blog/b.mdx", makePostText("B", "2026-01-01"));
  let site = await waitUntilCompiled(sites.createDiskSite());
  await waitUntilRecorded(site, 2);
  expect(await findChange(site, "a")).toBeNull();
  const key = site.getKey();

  setClock(nowMs() + MINUTE_MS);
  sites.writeFile("blog/a.mdx", makePostText("A", "2026-01-01", "Edited."));
  await expect.poll(() => site.refresh().then(() => findChange(site, "a"))).not.toBeNull();
  const changed = await findChange(site, "a");
  expect(await findChange(site, "b")).toBeNull();
  expect(site.getKey()).not.toBe(key);

  await sites.stopAll();
  setClock(nowMs() + MINUTE_MS);
  site = await waitUntilCompiled(sites.createDiskSite());
  expect(await findChange(site, "a")).toBe(changed);
  sites.isPrimary = false;
  const replica = await waitUntilCompiled(sites.createDiskSite());
  expect(await findChange(replica, "a")).toBe(changed);
});

test("a replica shows a change once the primary has recorded it", async () => {
  sites.writeFile("blog/a.mdx", makePostText("A", "2026-01-01"));
  const primary = await waitUntilCompiled(sites.createDiskSite());
  await waitUntilRecorded(primary, 1);
  sites.isPrimary = false;
  sites.writeFile("blog/a.mdx", makePostText("A", "2026-01-01", "Edited."));
  const replica = await waitUntilCompiled(sites.createDiskSite());
  await replica.refresh();
  expect(await findChange(replica, "a")).toBeNull();
  sites.isPrimary = true;
  await expect.poll(() => primary.refresh().then(() => findChange(primary, "a"))).not.toBeNull();
  await replica.refresh();
  expect(await findChange(replica, "a")).toBe(await findChange(primary, "a"));
});

test("a Git host's history says when a post last changed, and adding it is not a change", async () => {
  const first = { "content/blog/a.mdx": makePostText("A", "2026-01-01") };
  const second = { ...first, "content/blog/b.mdx": makePostText("B", "2026-01-01") };
  sites.host.commit(first, "main", "2026-02-01T10:00:00Z");
  sites.host.commit(second, "main", "2026-02-02T10:00:00Z");
  const third = { ...second, "content/blog/a.mdx": makePostText("A", "2026-01-01", "Edited.") };
  sites.host.commit(third, "main", "2026-02-03T10:00:00Z");
  const site = await waitUntilCompiled(sites.createGitSite());
  await waitUntilRecorded(site, 2);
  expect(await findChange(site, "a")).toBe("2026-02-03T10:00:00.000Z");
  expect(await findChange(site, "b")).toBeNull();
});

test("without history, an edit has the time at which its version was published", async () => {
  sites.host.commit({ "content/blog/a.mdx": makePostText("A", "2026-01-01") });
  const site = await waitUntilCompiled(sites.createGitSite());
  await waitUntilRecorded(site, 1);
  sites.host.isHistoryMissing = true;
  sites.host.commit({ "content/blog/a.mdx": makePostText("A", "2026-01-01", "Edited.") });
  setClock(nowMs() + 6 * MINUTE_MS);
  await expect.poll(() => site.refresh().then(() => findChange(site, "a"))).not.toBeNull();
  const { updatedAtMs } = (await read(findPublishedVersion))!;
  expect(await findChange(site, "a")).toBe(new Date(updatedAtMs).toISOString());
});

test("the history of only the 40 newest posts is requested", async () => {
  const files: Record<string, string> = {};
  for (let i = 10; i < 60; i += 1)
    files[`content/blog/p${i}.mdx`] = makePostText(`P${i}`, `20${i}-01-01`);
  sites.host.commit(files);
  const site = await waitUntilCompiled(sites.createGitSite());
  await waitUntilRecorded(site, 50);
  const asked = sites.host.requests.filter((path) => path.includes("/commits?"));
  expect(asked).toHaveLength(40);
  expect(asked.some((path) => path.includes("p59.mdx"))).toBe(true);
  expect(asked.some((path) => path.includes("p19.mdx"))).toBe(false);
});

test("on disk, a checkout's history counts, and uncommitted text has just changed", async () => {
  git(["init", "--quiet"]);
  sites.writeFile("blog/a-é.mdx", makePostText("A", "2026-01-01"));
  sites.writeFile("blog/b.mdx", makePostText("B", "2026-01-01"));
  commitAll("2026-02-01T10:00:00Z");
  sites.writeFile("blog/a-é.mdx", makePostText("A", "2026-01-01", "Edited."));
  commitAll("2026-02-03T10:00:00Z");
  const site = await waitUntilCompiled(sites.createDiskSite());
  await waitUntilRecorded(site, 2);
  expect(await findChange(site, "a-é")).toBe("2026-02-03T10:00:00.000Z");
  expect(await findChange(site, "b")).toBeNull();
  const beforeMs = nowMs();
  sites.writeFile("blog/b.mdx", makePostText("B", "2026-01-01", "Not committed."));
  await expect.poll(() => site.refresh().then(() => findChange(site, "b"))).not.toBeNull();
  expect(Date.parse((await findChange(site, "b"))!)).toBeGreaterThanOrEqual(beforeMs);
});
