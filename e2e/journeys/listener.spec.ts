// Follows a listener: an episode keeps playing while they read, continues later where they stopped,
// and works without JavaScript.

import { readFileSync } from "node:fs";
import type { Page } from "@playwright/test";
import type Database from "better-sqlite3";
import { saveMergedAudio } from "#lib/calls/audio-blobs.sql.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { toDataUrl } from "#tests/support/audio.ts";
import { expectAccessible } from "#tests/support/e2e/accessibility.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { writeToSite } from "#tests/support/e2e/site-database.ts";
import { insertAnswer, insertCall, insertEpisode, insertUser } from "#tests/support/factories.ts";

test.use({ contextOptions: { reducedMotion: "no-preference" } });

const fixture = (name: string) => readFileSync(`tests/fixtures/audio/${name}`);
/** Sixteen seconds. */
const LONG = { audio: Buffer.concat(Array<Buffer>(4).fill(fixture("steps.mp3"))), seconds: 16 };
const TRANSCRIPT =
  "WEBVTT\n\n00:00.000 --> 00:05.000\n<v Ada>Why?\n\n00:08.000 --> 00:10.000\n<v Grace>Because.\n";

/** Publishes an episode of a recorded question, with or without a merged file. Returns its slug. */
function publish(database: Database.Database, title: string, isMerged: boolean): Promise<string> {
  return writeToSite(database, (tx) => {
    const { id: userId } = insertUser(tx, { firstName: "Ada" });
    const { id: callId } = insertCall(tx, {
      userId,
      title,
      base64: toDataUrl("audio/webm", fixture("tone-live.webm")),
    });
    sqlOf(tx).run(`UPDATE "CallReview" SET "state" = 'PUBLISHED' WHERE "callId" = ?`, callId);
    const audio = { contentType: "audio/mpeg", durationMs: LONG.seconds * 1_000 };
    insertAnswer(tx, { callId, ...audio, audio: LONG.audio });
    const { slug } = insertEpisode(tx, {
      callId,
      title,
      callerName: "Ada",
      transcript: TRANSCRIPT,
    });
    if (isMerged) saveMergedAudio(tx, callId, { ...audio, audio: LONG.audio });
    return slug;
  });
}

const playerOf = (page: Page) => page.getByRole("region", { name: "Player" });

const readAudio = (page: Page) =>
  page.locator("body > audio").evaluate((audio: HTMLAudioElement) => ({
    seconds: audio.currentTime,
    isPlaying: !audio.paused,
    speed: audio.playbackRate,
    src: audio.currentSrc,
  }));

/** Expects the episode to be playing, beyond `seconds`. */
const expectPlaying = (page: Page, seconds = 0) =>
  expect
    .poll(async () => {
      const audio = await readAudio(page);
      return audio.isPlaying && audio.seconds > seconds;
    })
    .toBe(true);

/** Sets a variable that is gone once a new document has loaded. */
const markDocument = (page: Page) => page.evaluate(() => void Object.assign(window, { mark: 1 }));
const isSameDocument = (page: Page) => page.evaluate(() => "mark" in window);

test("an episode keeps playing while the listener reads, and continues later where it stopped", async ({
  page,
  database,
}) => {
  test.setTimeout(90_000);
  const title = "Why does it play on?";
  const slug = await publish(database, title, true);
  const scripts: string[] = [];
  page.on("request", (request) => {
    if (request.resourceType() === "script") scripts.push(request.url());
  });
  await page.goto("/calls", { waitUntil: "networkidle" });
  const before = scripts.length;
  await page.getByRole("button", { name: `Play: ${title}` }).click();
  await expectPlaying(page, 0.3);
  expect(scripts.length).toBeGreaterThan(before);
  await expect(page.getByRole("button", { name: `Pause: ${title}` })).toBeVisible();
  expect(await page.evaluate(() => navigator.mediaSession.metadata?.title)).toBe(title);

  // Three pages without a new document.
  await markDocument(page);
  const player = playerOf(page);
  await player.getByLabel("Speed").selectOption("0.5");
  await page.getByRole("link", { name: "Posts", exact: true }).first().click();
  await expect(page).toHaveURL("/blog");
  await page.getByRole("main").locator(".card-link").first().click();
  await expect(page.locator("[data-article-end]")).toBeAttached();
  await expect(page.locator(".site-nav [aria-current]")).toHaveText("Posts");
  await expect(page.locator(".prose p").first()).toBeVisible();
  await player.getByRole("link", { name: title }).click();
  await expect(page).toHaveURL(`/calls/${slug}`);
  expect(await isSameDocument(page)).toBe(true);
  expect(await readAudio(page)).toMatchObject({ isPlaying: true, speed: 0.5 });

  // A timestamp in the transcript, and the keyboard shortcuts.
  await page.getByRole("link", { name: "Play from 8 seconds" }).click();
  await expectPlaying(page, 8);
  await player.getByRole("slider", { name: "Position" }).focus();
  await page.keyboard.press("Space");
  await expect(player.getByRole("button", { name: "Play", exact: true })).toBeVisible();
  await page.keyboard.press("ArrowLeft");
  expect((await readAudio(page)).seconds).toBe(0);
  await page.keyboard.press(">");
  expect((await readAudio(page)).speed).toBe(0.75);
  await page.getByRole("link", { name: "Play from 8 seconds" }).click();
  await expectPlaying(page, 8);

  // Form and account pages load a new document. The episode resumes, or waits for a press.
  await page.goto("/search?q=sqlite");
  await expect(player.getByRole("link", { name: title })).toBeVisible();
  await expect.poll(async () => (await readAudio(page)).seconds).toBeGreaterThan(8);
  await expectAccessible(page, "the player");
  await player.getByRole("button", { name: "Close the player" }).click();
  await expect(page.getByRole("main")).toBeFocused();
  await expect(player).toHaveCount(0);

  await page.goto(`/calls/${slug}`);
  await expect(page.getByText(/Continue at 0:(08|09|1\d)/)).toBeVisible();
  await page.getByRole("button", { name: "Play" }).click();
  await expectPlaying(page, 8);
});

test("a page that Back restores follows what happened in the player meanwhile", async ({
  page,
  database,
}) => {
  const slug = await publish(database, "Where was I?", true);
  await page.goto(`/calls/${slug}`);
  await page.getByRole("button", { name: "Play", exact: true }).first().click();
  await expectPlaying(page, 0.3);
  await playerOf(page).getByRole("button", { name: "Pause" }).click();
  await expect(playerOf(page).getByRole("button", { name: "Play", exact: true })).toBeVisible();
  /** Leaves the page for one that writes `changes`, and comes back from the back/forward cache. */
  const leaveAndReturn = (changes: { placeS?: number; isClosed?: boolean }) =>
    page.evaluate(({ placeS, isClosed }) => {
      dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
      const places = Object.keys(JSON.parse(localStorage.getItem("listening-places")!) as object);
      if (placeS !== undefined)
        localStorage.setItem(
          "listening-places",
          JSON.stringify(Object.fromEntries(places.map((src) => [src, placeS]))),
        );
      if (isClosed) sessionStorage.removeItem("listening");
      dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    }, changes);
  await leaveAndReturn({ placeS: 9 });
  await expect.poll(async () => (await readAudio(page)).seconds).toBe(9);
  const listening = await page.evaluate(() => sessionStorage.getItem("listening"));
  await leaveAndReturn({ isClosed: true });
  await expect(playerOf(page)).toHaveCount(0);

  // A page without React, from before the player was opened.
  await page.goto("/blog", { waitUntil: "networkidle" });
  await page.evaluate((value) => {
    sessionStorage.setItem("listening", value!);
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
  }, listening);
  await expect(playerOf(page)).toBeVisible();
});

test("a double-click while the player is loading plays the episode", async ({ page, database }) => {
  const slug = await publish(database, "Is it loaded?", true);
  let release = () => {};
  const isReleased = new Promise<void>((resolve) => (release = resolve));
  await page.goto(`/calls/${slug}`, { waitUntil: "networkidle" });
  await page.route("**/_next/static/**", async (route) => {
    await isReleased;
    await route.continue();
  });
  await page.getByRole("link", { name: "Play from 8 seconds" }).dblclick();
  release();
  await expectPlaying(page, 8);
  await expect(page).toHaveURL(`/calls/${slug}`);
});

test.describe("while the server can’t be reached", () => {
  test.use({ expectedErrors: ["ERR_FAILED"] });

  test("a player shows an error, and plays once the server is back", async ({
    page,
    database,
    logIn,
  }) => {
    const slug = await publish(database, "Is it reachable?", true);
    await page.route("**/calls/audio/**", (route) => route.abort());
    await page.goto(`/calls/${slug}`);
    await page.getByRole("link", { name: "Play from 8 seconds" }).click();
    await expect(playerOf(page).getByRole("alert")).toBeVisible();
    await page.unroute("**/calls/audio/**");
    await playerOf(page).getByRole("button", { name: "Play", exact: true }).click();
    await expectPlaying(page, 8);
    await expect(playerOf(page).getByRole("alert")).toHaveCount(0);
    await playerOf(page).getByRole("button", { name: "Close the player" }).click();

    const userId = await logIn();
    const base64 = toDataUrl("audio/mpeg", LONG.audio);
    await writeToSite(database, (tx) => insertCall(tx, { userId, base64 }));
    await page.route("**/calls/recording/**", (route) => route.abort());
    await page.goto("/calls/mine", { waitUntil: "networkidle" });
    const player = page.getByRole("group", { name: "Your recording" });
    await player.getByRole("button", { name: "Play" }).click();
    await expect(player.getByRole("alert")).toBeVisible();
    await page.unroute("**/calls/recording/**");
    await player.getByRole("button", { name: "Play" }).click();
    await expect(player.locator(".player-time")).toContainText(/0:0[1-9]/);
    await expect(player.getByRole("alert")).toHaveCount(0);
  });
});

test("without a merged file, the answer plays after the question, and each by itself", async ({
  page,
  database,
}) => {
  const slug = await publish(database, "Two recordings?", false);
  await page.goto(`/calls/${slug}`);
  // Recorded in the page, because on a busy machine the test may miss the short question.
  await page.evaluate(() => {
    const sources: string[] = [];
    Object.assign(window, { sources });
    document.addEventListener(
      "playing",
      ({ target }) => sources.push((target as HTMLAudioElement).currentSrc),
      true,
    );
  });
  const question = page.getByRole("group", { name: "Ada’s question" });
  await question.getByRole("button", { name: "Play" }).click();
  const answer = page.getByRole("group", { name: "The answer" });
  await expect(answer.getByRole("button", { name: "Pause" })).toBeVisible();
  await expectPlaying(page, 0.2);
  expect((await readAudio(page)).src).toContain("/answer.mp3");
  const [first] = await page.evaluate(() => (window as unknown as { sources: string[] }).sources);
  expect(first).toMatch(/\/call(\.|$)/);
  await question.getByRole("button", { name: "Play" }).click();
  await expect(answer.getByRole("button", { name: "Play" })).toBeVisible();
  await expect(playerOf(page)).toContainText("Ada’s question");
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("an episode has the browser’s own players, and its timestamps open the file at that time", async ({
    page,
    database,
  }) => {
    const title = "Without scripts?";
    const slug = await publish(database, title, false);
    await page.goto("/calls");
    await page.getByRole("link", { name: title }).click();
    await expect(page.locator("audio[controls]")).toHaveCount(2);
    await expect(page.locator("audio[controls]").first()).toBeVisible();
    await expect(page.getByRole("button", { name: "Play" })).toHaveCount(0);
    await expect(page.getByRole("link", { name: "Play from 8 seconds" })).toHaveAttribute(
      "href",
      `/calls/audio/${slug}/answer.mp3#t=8`,
    );
  });
});
