import { afterEach, beforeEach, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
import type { Member } from "#lib/members/member.ts";
import { stopCatalog } from "#lib/posts/catalog/site-catalog.ts";
import { makePostText, setUpContentSites } from "#tests/support/content-site-fixture.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { createIssue, scheduleIssue } from "./issues.ts";
import { runNewsletter } from "./poll-newsletter.ts";

const sites = setUpContentSites();
const admin: Member = {
  id: "a",
  firstName: "Ada",
  team: "RED",
  role: "ADMIN",
  sessionKey: "k",
  loggedInAtMs: 0,
};

beforeEach(() => overrideEnv({ CONTENT_DIR: sites.dir }));
afterEach(async () => {
  setClock(null);
  overrideEnv({ CONTENT_DIR: undefined, KIT_API_KEY: undefined, KIT_FORM_ID: undefined });
  await stopCatalog();
});

const schedule = (postSlug: string, sendAt: Date | null) =>
  write(async (tx) => {
    const id = await createIssue(tx, admin, { postSlug, subject: "News" });
    await scheduleIssue(tx, admin, { id, sendAt });
    return id;
  });
const findIssue = (id: number) => read((tx) => tx.newsletterIssue.findUnique({ where: { id } }));

test("an issue starts at its time, with the post as it is then; it waits for its post to be published, and says so", async () => {
  sites.writeFile("blog/a.mdx", makePostText("A", undefined, "Some **bold** text."));
  sites.writeFile("blog/later.mdx", makePostText("Later", "2999-01-01"));
  const due = await schedule("a", null);
  const early = await schedule("a", new Date(nowMs() + DAY_MS));
  const unpublished = await schedule("later", null);
  await runNewsletter();
  expect(await findIssue(due)).toMatchObject({ state: "SCHEDULED" });
  setClock(nowMs() + HOUR_MS);
  await runNewsletter();
  // No one has subscribed, so it ends immediately.
  expect(await findIssue(due)).toMatchObject({
    state: "SENT",
    recipientCount: 0,
    html: expect.stringContaining("<strong>bold</strong>") as string,
    text: expect.stringContaining("Some bold text.") as string,
  });
  expect(await findIssue(early)).toMatchObject({ state: "SCHEDULED", problem: null });
  expect(await findIssue(unpublished)).toMatchObject({
    state: "SCHEDULED",
    problem: "The post is not published yet.",
  });
});

test("nothing starts on a replica, or if Kit sends the newsletter", async () => {
  sites.writeFile("blog/a.mdx", makePostText("A"));
  const id = await schedule("a", null);
  setClock(nowMs() + HOUR_MS);
  overrideEnv({ KIT_API_KEY: "key", KIT_FORM_ID: "1" });
  await runNewsletter();
  overrideEnv({ KIT_API_KEY: undefined, REPLICATION: "on" });
  await runNewsletter();
  overrideEnv({ REPLICATION: undefined });
  expect(await findIssue(id)).toMatchObject({ state: "SCHEDULED", problem: null });
});
