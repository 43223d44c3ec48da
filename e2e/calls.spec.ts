// Tests calls from the recording to the published episode, and the admin pages in between.

import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import type { BrowserContext, Locator, Page } from "@playwright/test";
import type Database from "better-sqlite3";
import { toDataUrl } from "#tests/support/audio.ts";
import { insertCall, insertUser } from "#tests/support/factories.ts";
import { checkFeed } from "#cli/podcast-check/feed-rules.ts";
import { checkFiles } from "#cli/podcast-check/file-rules.ts";
import { publishCall } from "#lib/calls/publish.ts";
import { saveAnswer } from "#lib/calls/review.ts";
import { getReviewedCall } from "#lib/calls/review-queue.ts";
import { createSql } from "#lib/db/connection.ts";
import { expectAccessible } from "#tests/support/e2e/accessibility.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { writeToSite } from "#tests/support/e2e/site-database.ts";
import { PORT } from "#tests/support/e2e/site-under-test.ts";

const hasFfmpeg = spawnSync("ffmpeg", ["-version"]).status === 0;
const fixture = (name: string) => readFileSync(`tests/fixtures/audio/${name}`);
const voice = fixture("tone-live.webm");

interface InsertedCall {
  readonly id: string;
  readonly callerEmail: string;
  readonly title: string;
}

/** Inserts a call, recorded unless `typed`. A PUBLISHED call has no merged file. */
async function insertTestCall(
  database: Database.Database,
  {
    state = "NEW",
    typed = false,
    title = `Call ${randomUUID().slice(0, 8)}`,
  }: { state?: "NEW" | "ANSWERED" | "PUBLISHED"; typed?: boolean; title?: string } = {},
): Promise<InsertedCall & { slug: string | null }> {
  return writeToSite(database, async (tx) => {
    const caller = insertUser(tx, { firstName: "Ada" });
    const admin = {
      ...insertUser(tx, { role: "ADMIN", firstName: "Hedy" }),
      sessionKey: "none",
      loggedInAtMs: Date.now(),
    };
    const { id } = insertCall(tx, {
      userId: caller.id,
      title,
      base64: typed ? "" : toDataUrl("audio/webm", voice),
    });
    const decision = async () => ({
      callId: id,
      admin,
      expectedVersion: (await getReviewedCall(tx, { admin, callId: id })).changedAt,
    });
    if (state !== "NEW")
      await saveAnswer(tx, {
        ...(await decision()),
        answer: { contentType: "audio/mpeg", durationMs: 2_100, audio: fixture("tone.mp3") },
      });
    const slug =
      state === "PUBLISHED"
        ? (
            await publishCall(tx, {
              ...(await decision()),
              transcript: "Ada: <b>How?</b>\n\nAnswer: *So.*",
            })
          ).slug
        : null;
    return { id, callerEmail: caller.email, title, slug };
  });
}

const stateOf = (database: Database.Database, id: string) =>
  database.prepare(`SELECT "state" FROM "CallReview" WHERE "callId" = ?`).pluck().get(id);

async function becomeAdmin(
  context: BrowserContext,
  logIn: (fields?: { role?: string; firstName?: string }) => Promise<string>,
) {
  await context.clearCookies();
  return logIn({ role: "ADMIN", firstName: "Grace" });
}

const playerOf = (page: Page | Locator, name: string) =>
  page.getByRole("group", { name, exact: true });

/** Starts a player, and expects it to play without an error. */
async function hear(page: Page | Locator, name: string) {
  const player = playerOf(page, name);
  const audio = player.locator("audio");
  await player.getByRole("button", { name: "Play" }).click();
  await expect
    .poll(() => audio.evaluate((element: HTMLAudioElement) => element.currentTime), {
      message: `${name} plays`,
    })
    .toBeGreaterThan(0.2);
  expect(await audio.evaluate((element: HTMLAudioElement) => element.error)).toBeNull();
  await expect(player.getByRole("alert")).toHaveCount(0);
}

/** Presses the button of an episode, and expects the sticky player to play it. */
async function listen(page: Page, name: string) {
  await playerOf(page, name).getByRole("button", { name: "Play" }).click();
  await expect(page.getByRole("region", { name: "Player" })).toContainText(name);
  await expect
    .poll(() =>
      page.locator("body > audio").evaluate((audio: HTMLAudioElement) => audio.currentTime),
    )
    .toBeGreaterThan(0.2);
  await expect(page.locator(".player-failed")).toHaveCount(0);
}

const section = (page: Page, name: string) => page.getByRole("region", { name, exact: true });

test(
  "a call is recorded, answered and published; guests hear both, the feed lists it, the caller gets an email",
  { tag: "@replica" },
  async ({ page, context, database, logIn, waitForEmail, request }) => {
    test.setTimeout(90_000);
    const callerId = await logIn({ firstName: "Ada" });
    await page.goto("/calls/record");
    await page.getByRole("button", { name: "Start recording" }).click();
    // A busy machine may skip a second.
    await expect(page.locator(".recorder-clock")).toContainText(/0:0[2-9]/);
    await page.getByRole("button", { name: "Stop", exact: true }).click();
    await page.getByLabel("Title").fill("Who names the files?");
    await page
      .getByLabel("Description")
      .fill("All our files are called helper.\nWhat would you do?");
    await page.getByLabel("Keywords").fill("names, files");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await expect(page).toHaveURL(/\/calls\/mine\?sent=/, { timeout: 15_000 });
    const receipt = await waitForEmail(`${callerId}@example.test`);
    expect(receipt.subject).toBe("We received your call “Who names the files?”");

    const adminId = await becomeAdmin(context, logIn);
    await page.goto("/admin/calls?q=names");
    await page.getByRole("link", { name: "Who names the files?" }).click();
    await hear(page, "Ada’s question");
    await page.getByRole("button", { name: "Assign to me" }).click();
    await expect(page.getByText("In review by Grace")).toBeVisible();
    await page
      .locator('.recorder input[type="file"]')
      .setInputFiles({ name: "answer.m4a", mimeType: "audio/mp4", buffer: fixture("tone.m4a") });
    await expect(page.getByText("0:02 long")).toBeVisible();
    await page.getByRole("button", { name: "Save answer" }).click();
    await expect(page.getByText("Answer saved.")).toBeVisible({ timeout: 15_000 });
    await hear(section(page, "Answer"), "Answer");
    // The upload is deleted from the server, and the draft from the browser.
    expect(
      database.prepare(`SELECT count(*) FROM "Upload" WHERE "userId" = ?`).pluck().get(adminId),
    ).toBe(0);
    await page.reload();
    await page.getByText("Replace answer").first().click();
    await expect(page.getByRole("button", { name: "Start recording" })).toBeVisible();

    await page.getByLabel("Transcript", { exact: true }).fill("Ada: Who?\n\nGrace: You.");
    await page.getByText(/Preview episode \d+/).click();
    await expect(page.locator(".call-preview")).toContainText("Grace: You.");
    await page.getByRole("button", { name: "Publish" }).click();
    await expect(page.getByText(/Published as episode \d+\./)).toBeVisible({ timeout: 30_000 });

    const email = await waitForEmail(`${callerId}@example.test`);
    expect(email.subject).toContain("Who names the files?");
    const [address] = /http\S+\/calls\/\d+-who-names-the-files/.exec(email.text) ?? [];
    expect(address).toBeDefined();

    // A guest without cookies.
    await context.clearCookies();
    await page.goto(address!);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Who names the files?");
    await expect(page.getByText("Grace: You.")).toBeVisible();
    if (hasFfmpeg) {
      await listen(page, "Question and answer");
      await page.getByText("Play question and answer separately").click();
    }
    await listen(page, "Ada’s question");
    await listen(page, "The answer");
    await page.goto("/calls");
    // The player continues with the same episode.
    await expect(
      page.getByRole("main").getByRole("link", { name: "Who names the files?" }),
    ).toBeVisible();

    const feed = await (await request.get("/calls/feed.xml")).text();
    const item = feed
      .split("<item>")
      .find((text) => text.includes("<title>Who names the files?</title>"))!;
    const [, url, length, type] =
      /<enclosure url="([^"]+)" length="(\d+)" type="([^"]+)"/.exec(item) ?? [];
    const whole = await request.get(url!);
    expect(whole.status()).toBe(200);
    expect((await whole.body()).length).toBe(Number(length));
    expect(whole.headers()).toMatchObject({
      "content-type": hasFfmpeg ? "audio/mpeg" : "audio/mp4",
      "x-content-type-options": "nosniff",
      "cache-control": "public, max-age=3600",
      "accept-ranges": "bytes",
    });
    expect(type).toBe(hasFfmpeg ? "audio/mpeg" : "audio/x-m4a");
    const part = await request.get(url!, { headers: { range: "bytes=10-19" } });
    expect(part.status()).toBe(206);
    expect(part.headers()["content-range"]).toBe(`bytes 10-19/${length}`);
    expect((await part.body()).equals((await whole.body()).subarray(10, 20))).toBe(true);
    expect(
      (
        await request.get(url!, { headers: { "if-none-match": whole.headers()["etag"]! } })
      ).status(),
    ).toBe(304);
    const again = await request.get("/calls/feed.xml", {
      headers: { "if-none-match": (await request.get("/calls/feed.xml")).headers()["etag"]! },
    });
    expect(again.status()).toBe(304);
  },
);

test("an admin uploads a transcript with times, and directories take the feed", async ({
  page,
  context,
  database,
  logIn,
  request,
}) => {
  // Episodes of other tests have the formats that browsers record.
  database.prepare(`DELETE FROM "Call" WHERE "id" IN (SELECT "callId" FROM "Episode")`).run();
  const { id, slug } = await insertTestCall(database, { state: "PUBLISHED" });
  await becomeAdmin(context, logIn);
  await page.goto(`/admin/calls/${id}`);
  await page.getByLabel("Transcript file").setInputFiles({
    name: "episode.srt",
    mimeType: "application/x-subrip",
    buffer: Buffer.from(
      "1\n00:00:00,000 --> 00:00:00,500\nAda: Who names <b>them</b>?\n\n2\n00:00:00,600 --> 00:00:01,000\nGrace: You.\n",
    ),
  });
  const title = await page.getByLabel("Title").inputValue();
  // A refused form keeps the file.
  for (const [text, message] of [
    ["     ", /^The title/],
    [title, "Saved."],
  ] as const) {
    await page.getByLabel("Title").fill(text);
    await page.getByRole("button", { name: "Save", exact: true }).click();
    await expect(page.getByText(message)).toBeVisible();
  }
  await expect(page.getByLabel("Transcript", { exact: true })).toHaveValue(/^WEBVTT\n/);

  await page.goto(`/calls/${slug}`);
  const words = section(page, "Transcript");
  await expect(words).toContainText("Ada: Who names them?");
  await expect(words.getByRole("link").nth(1)).toHaveAttribute(
    "href",
    `/calls/audio/${slug}/answer.mp3#t=0.6`,
  );

  await page.goto("/search?q=who+names+them");
  await expect(page.getByRole("link", { name: /^Call / }).first()).toBeVisible();

  const { problems, files } = checkFeed(await (await request.get("/calls/feed.xml")).text());
  expect(problems).toEqual([]);
  expect(files.episodes.map(({ transcripts }) => transcripts.map(({ type }) => type))).toEqual([
    ["text/vtt"],
  ]);
  expect(await checkFiles(files)).toEqual([]);

  await page.goto("/calls");
  await page.getByRole("link", { name: "Subscribe to the podcast" }).click();
  await expect(page.getByRole("link", { name: "Overcast" })).toHaveAttribute(
    "href",
    /^overcast:.*calls%2Ffeed\.xml$/,
  );
  await expectAccessible(page, "/calls/subscribe");
});

test("user input is escaped in the page and in its structured data", async ({ page, database }) => {
  const { slug } = await insertTestCall(database, {
    state: "PUBLISHED",
    title: "</script><b>Bold</b>",
  });
  await page.goto(`/calls/${slug}`);
  await expect(page.getByRole("heading", { level: 1 })).toHaveText("</script><b>Bold</b>");
  await expect(page.getByText("Ada: <b>How?</b>")).toBeVisible();
  await expect(page.getByText("Answer: *So.*")).toBeVisible();
  const data = JSON.parse(
    (await page.locator('script[type="application/ld+json"]').textContent()) ?? "",
  );
  expect(data).toMatchObject({
    "@type": "PodcastEpisode",
    name: "</script><b>Bold</b>",
    associatedMedia: { "@type": "AudioObject", encodingFormat: "audio/mpeg" },
  });
  await expect(page.locator('link[rel="canonical"]')).toHaveAttribute(
    "href",
    `http://localhost:${PORT}/calls/${slug}`,
  );
  await expect(page.locator('link[type="application/rss+xml"]').first()).toHaveAttribute(
    "href",
    `http://localhost:${PORT}/calls/feed.xml`,
  );
});

test("an episode of a typed question has only an answer to play", async ({
  page,
  database,
  request,
}) => {
  const { slug } = await insertTestCall(database, { state: "PUBLISHED", typed: true });
  await page.goto(`/calls/${slug}`);
  await expect(page.getByText("All our files are called helper.")).toBeVisible();
  await expect(playerOf(page, "Ada’s question")).toHaveCount(0);
  await listen(page, "The answer");
  expect((await request.get(`/calls/audio/${slug}/call`)).status()).toBe(404);
});

test("an episode keeps playing while the listener searches posts, and a search opened later has the player", async ({
  page,
  database,
}) => {
  const { slug } = await insertTestCall(database, { state: "PUBLISHED", typed: true });
  await page.goto(`/calls/${slug}`);
  await listen(page, "The answer");
  const player = page.getByRole("region", { name: "Player" });
  await player.evaluate((element) => element.setAttribute("title", "kept"));
  await page.getByRole("banner").getByRole("link", { name: "Posts" }).click();
  const field = page.getByRole("searchbox");
  await field.fill("zebra");
  await expect(page).toHaveURL(/\/blog\?q=zebra$/);
  await expect(page.getByRole("article")).toHaveCount(1);
  await expect(field).toBeFocused();
  await expect(player).toHaveAttribute("title", "kept");

  await page.goto("/blog?q=zebra");
  await expect(player).toContainText("The answer");
  await expect(page.getByRole("article")).toHaveCount(1);
});

test("a page number beyond the last page names the page that is shown", async ({ page }) => {
  await page.goto("/calls?page=99");
  await expect(page).toHaveTitle(/^Calls ·/);
  await expect(page.locator("link[rel=canonical]")).toHaveAttribute("href", /\/calls$/);
});

test("a declined caller gets an email with the reason", async ({
  page,
  context,
  database,
  logIn,
  waitForEmail,
}) => {
  const { id, callerEmail } = await insertTestCall(database);
  await becomeAdmin(context, logIn);
  await page.goto(`/admin/calls/${id}`);
  const decline = section(page, "Decline");
  // Skips the browser's own validation.
  await decline
    .locator("form")
    .first()
    .evaluate((form: HTMLFormElement) => (form.noValidate = true));
  await decline.getByLabel("Reason").fill("Too short");
  await decline.getByRole("button", { name: "Decline" }).click();
  await expect(decline.getByText("Use at least 10 characters (you have 9).")).toBeVisible();
  await expect(decline.getByLabel("Reason")).toHaveValue("Too short");
  expect(stateOf(database, id)).toBe("NEW");
  await decline.getByLabel("Reason").fill("It was asked <before>.\nSee episode 3.");
  await decline.getByRole("button", { name: "Decline" }).click();
  await expect(page.getByText("Declined. We’ll email your reason to the caller.")).toBeVisible();
  const email = await waitForEmail(callerEmail);
  expect(email.text).toContain("It was asked <before>.\nSee episode 3.");
  expect(stateOf(database, id)).toBe("DECLINED");
  await page.getByRole("button", { name: "Reopen" }).click();
  await expect(page.getByText("Reopened.")).toBeVisible();
  expect(stateOf(database, id)).toBe("NEW");
});

test("of two admins who decide at the same time, the second gets a conflict", async ({
  page,
  context,
  browser,
  database,
  logIn,
}) => {
  const { id } = await insertTestCall(database, { state: "ANSWERED" });
  await becomeAdmin(context, logIn);
  await page.goto(`/admin/calls/${id}`);
  const other = insertUser(createSql(database), { role: "ADMIN", firstName: "Barbara" });
  const theirs = await browser.newContext();
  await theirs.addCookies([
    { ...(await insertMemberSession(database, other.id)), url: `http://localhost:${PORT}` },
  ]);
  const second = await theirs.newPage();
  await second.goto(`/admin/calls/${id}`);

  await page.getByLabel("Transcript", { exact: true }).fill("Of the first episode");
  await page.getByRole("button", { name: "Publish" }).click();
  await expect(page.getByText(/Published as episode/)).toBeVisible({ timeout: 30_000 });
  await second.getByLabel("Reason").fill("I would rather not have it.");
  await second.getByRole("button", { name: "Decline" }).click();
  await expect(
    second.getByText("Nothing was changed. Grace has published this call in the meantime."),
  ).toBeVisible();
  await expect(second.getByRole("link", { name: "View episode" })).toBeVisible();
  expect(stateOf(database, id)).toBe("PUBLISHED");
  expect(
    database.prepare(`SELECT count(*) FROM "Episode" WHERE "callId" = ?`).pluck().get(id),
  ).toBe(1);

  await second.reload();
  await page.getByLabel("Title").fill("The first title");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();
  await second.getByLabel("Title").fill("The second title");
  await second.getByRole("button", { name: "Save" }).click();
  await expect(second.getByText("This call has changed since you opened the page.")).toBeVisible();
  await expect(second.getByLabel("Title")).toHaveValue("The second title");
  expect(database.prepare(`SELECT "title" FROM "Episode" WHERE "callId" = ?`).pluck().get(id)).toBe(
    "The first title",
  );
  await theirs.close();

  await page.locator("summary", { hasText: "Unpublish" }).click();
  await page.getByRole("button", { name: "Unpublish" }).click();
  await page.getByText(/Preview episode/).click();
  const preview = page.locator(".call-preview");
  await expect(preview).toContainText("The first title");
  await expect(preview).not.toContainText("Of the first episode");
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("a decision on an outdated version is a conflict", async ({
    page,
    context,
    database,
    logIn,
  }) => {
    const { id } = await insertTestCall(database);
    await becomeAdmin(context, logIn);
    await page.goto(`/admin/calls/${id}`);
    database
      .prepare(
        `UPDATE "CallReview" SET "state" = 'DECLINED', "changedAt" = "changedAt" + 1, "reviewerId" = (SELECT "id" FROM "User" WHERE "firstName" = 'Hedy' LIMIT 1) WHERE "callId" = ?`,
      )
      .run(id);
    await page.getByRole("button", { name: "Assign to me" }).click();
    await expect(
      page.getByText("Nothing was changed. Hedy has declined this call in the meantime."),
    ).toBeVisible();
    expect(stateOf(database, id)).toBe("DECLINED");
  });
});

test.describe("access control", () => {
  test.use({ expectedErrors: ["404", "403", "401"] });

  test("members get 404 and 403, guests are redirected to the login", async ({
    page,
    context,
    database,
    logIn,
    request,
  }) => {
    const { id } = await insertTestCall(database, { state: "ANSWERED" });
    await page.goto(`/admin/calls/${id}`);
    await expect(page).toHaveURL(/\/login\?next=/);
    await logIn();
    for (const path of ["/admin/calls", `/admin/calls/${id}`])
      expect((await page.goto(path))?.status()).toBe(404);
    expect((await context.request.get(`/admin/calls/${id}/answer`)).status()).toBe(403);
    expect((await request.get(`/admin/calls/${id}/answer`)).status()).toBe(401);
    await becomeAdmin(context, logIn);
    const answer = await context.request.get(`/admin/calls/${id}/answer`, {
      headers: { range: "bytes=0-3" },
    });
    expect(answer.status()).toBe(206);
    expect(answer.headers()).toMatchObject({
      "cache-control": "private, no-store",
      "x-content-type-options": "nosniff",
    });
    expect((await page.goto("/admin/calls/no-such-call"))?.status()).toBe(404);
  });

  test("an unpublished episode has neither a page nor audio", async ({
    page,
    context,
    database,
    logIn,
    request,
  }) => {
    const { id, slug } = await insertTestCall(database, { state: "PUBLISHED" });
    for (const file of ["call", "call.webm", "answer", "answer.mp3"])
      expect((await request.get(`/calls/audio/${slug}/${file}`)).status(), file).toBe(200);
    for (const file of ["episode", "call.mp3", "answer.html", "other", "call.webm.mp3"])
      expect((await request.get(`/calls/audio/${slug}/${file}`)).status(), file).toBe(404);
    await becomeAdmin(context, logIn);
    await page.goto(`/admin/calls/${id}`);
    await page.locator("summary", { hasText: "Unpublish" }).click();
    await page.getByRole("button", { name: "Unpublish" }).click();
    await expect(page.getByText("Unpublished. The caller was not notified.")).toBeVisible();
    const response = await page.goto(`/calls/${slug}`);
    expect(response?.status()).toBe(404);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText("Page not found");
    for (const file of ["call", "answer", "episode"])
      expect((await request.get(`/calls/audio/${slug}/${file}`)).status()).toBe(404);
    expect(await (await request.get("/calls/feed.xml")).text()).not.toContain(slug!);
    expect(await (await request.get("/sitemap.xml")).text()).not.toContain(slug!);
  });
});

test("no page of calls has an accessibility violation", async ({
  page,
  context,
  database,
  logIn,
}) => {
  test.setTimeout(90_000);
  const published = await insertTestCall(database, { state: "PUBLISHED" });
  const answered = await insertTestCall(database, { state: "ANSWERED" });
  await becomeAdmin(context, logIn);
  for (const path of [
    "/calls",
    `/calls/${published.slug}`,
    "/admin/calls?state=all",
    `/admin/calls/${answered.id}`,
    `/admin/calls/${published.id}`,
  ]) {
    await page.goto(path);
    if (path.endsWith(answered.id)) await page.getByText(/Preview episode/).click();
    await expectAccessible(page, path);
  }
});

test("a member hears and deletes a call whose id has special characters", async ({
  page,
  database,
  logIn,
}) => {
  const id = "Call 7/c?x";
  insertCall(createSql(database), {
    id,
    userId: await logIn(),
    base64: toDataUrl("audio/webm", voice),
  });
  await page.goto("/calls/mine");
  const src = await page.locator("audio").getAttribute("src");
  expect((await page.request.get(src!)).status()).toBe(200);
  await page.locator("summary", { hasText: "Delete" }).click();
  await page.getByRole("button", { name: "Delete this call" }).click();
  await expect(page.getByText("Call deleted.")).toBeVisible();
  expect(database.prepare(`SELECT COUNT(*) FROM "Call" WHERE "id" = ?`).pluck().get(id)).toBe(0);
});

test("another form’s button doesn’t let an admin overwrite the details that another admin saved", async ({
  page,
  database,
  logIn,
}) => {
  await logIn({ role: "ADMIN" });
  const sql = createSql(database);
  const { id } = insertCall(sql, { userId: insertUser(sql, {}).id });
  const readTitle = () =>
    database.prepare(`SELECT "title" FROM "Call" WHERE "id" = ?`).pluck().get(id);
  const save = async (tab: Page, title: string, message: string) => {
    await tab.getByLabel("Title").fill(title);
    await tab.getByRole("button", { name: "Save", exact: true }).click();
    await expect(tab.getByText(message)).toBeVisible();
  };
  const other = await page.context().newPage();
  await page.goto(`/admin/calls/${id}`);
  await page.getByLabel("Title").fill("The first admin’s title");
  await other.goto(`/admin/calls/${id}`);
  await save(other, "The second admin’s title", "Saved.");
  await page.getByRole("button", { name: "Assign to me" }).click();
  await expect(page.getByText("Assigned to you.")).toBeVisible();
  await save(page, "The first admin’s title", "This call has changed since you opened the page.");
  expect(readTitle()).toBe("The second admin’s title");
  await save(other, "A better title", "Saved.");
  await other.getByRole("button", { name: "Unassign" }).click();
  await save(other, "The best title", "Saved.");
  expect(readTitle()).toBe("The best title");
});
