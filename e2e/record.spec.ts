// Records and sends a call with Chromium's fake microphone, which beeps once a second.

import { createHash } from "node:crypto";
import type { BrowserContext, Page } from "@playwright/test";
import type Database from "better-sqlite3";
import { probeAudio } from "#lib/calls/audio/probe.ts";
import { createSql } from "#lib/db/connection.ts";
import { insertUser } from "#tests/support/factories.ts";
import { DESKTOP, PHONE, expectAccessible } from "#tests/support/e2e/accessibility.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { PORT } from "#tests/support/e2e/site-under-test.ts";

test.use({ contextOptions: { reducedMotion: "no-preference" } });

// Many of these tests wait while Chromium records, so both workers share them.
test.describe.configure({ mode: "parallel" });

const PART_BYTES = 524_288;

interface CallRow {
  id: string;
  title: string;
  description: string;
  keywords: string;
  /** Empty for a typed question. */
  audio: Buffer;
}

const readCalls = (database: Database.Database, userId: string): CallRow[] => {
  const calls = database
    .prepare(`SELECT "id", "title", "description", "keywords" FROM "Call" WHERE "userId" = ?`)
    .all(userId) as Omit<CallRow, "audio">[];
  const parts = database
    .prepare(
      `SELECT p."bytes" FROM "UploadPart" p JOIN "Upload" u ON u."id" = p."uploadId" WHERE u."callId" = ? ORDER BY p."number"`,
    )
    .pluck();
  return calls.map((call) => ({ ...call, audio: Buffer.concat(parts.all(call.id) as Buffer[]) }));
};
const countOpenParts = (database: Database.Database) =>
  database
    .prepare(
      `SELECT count(*) FROM "UploadPart" p JOIN "Upload" u ON u."id" = p."uploadId" WHERE u."callId" IS NULL`,
    )
    .pluck()
    .get();
const readAudio = (call: CallRow | undefined) => call?.audio ?? Buffer.alloc(0);
const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Returns a tone as WAV: 8 kHz, 16 bits, mono, so 16 kB per second. */
function makeWav(seconds: number): Buffer {
  const samples = Buffer.alloc(seconds * 16_000);
  for (let i = 0; i < samples.length / 2; i++)
    samples.writeInt16LE(Math.round(8_000 * Math.sin(i / 3 + (i % 977) / 5)), i * 2);
  const head = Buffer.alloc(44);
  head.write("RIFF");
  head.writeUInt32LE(36 + samples.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20);
  head.writeUInt16LE(1, 22);
  head.writeUInt32LE(8_000, 24);
  head.writeUInt32LE(16_000, 28);
  head.writeUInt16LE(2, 32);
  head.writeUInt16LE(16, 34);
  head.write("data", 36);
  head.writeUInt32LE(samples.length, 40);
  return Buffer.concat([head, samples]);
}

/** Reads the drafts from IndexedDB. */
function readDrafts(page: Page): Promise<{ drafts: number; audio: number[] }> {
  return page.evaluate(async () => {
    const wait = <T>(request: IDBRequest<T>) =>
      new Promise<T>(
        (resolve, reject) => (
          (request.onsuccess = () => resolve(request.result)),
          (request.onerror = () => reject(request.error))
        ),
      );
    const database = await wait(indexedDB.open("lectern-drafts"));
    const transaction = database.transaction(["drafts", "pieces"]);
    const drafts = await wait(transaction.objectStore("drafts").count());
    const pieces = (await wait(transaction.objectStore("pieces").getAll())) as ArrayBuffer[];
    database.close();
    return { drafts, audio: pieces.flatMap((piece) => [...new Uint8Array(piece)]) };
  });
}

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
const unsent = (page: Page) => page.getByRole("status").filter({ hasText: "You have an unsent" });
const recorderClock = (page: Page) => page.locator(".recorder-clock");

async function openRecorder(page: Page) {
  await page.goto("/calls/record");
  await expect(button(page, "Start recording").or(unsent(page))).toBeVisible();
}

const secondsShown = async (page: Page) => {
  const [, minutes, seconds] = /(\d+):(\d\d)/.exec(await recorderClock(page).innerText()) ?? [];
  return Number(minutes) * 60 + Number(seconds);
};
/** Waits for at least `seconds`, because a busy machine may skip one. */
const waitForClock = (page: Page, seconds: number) =>
  expect
    .poll(() => secondsShown(page), { timeout: 5_000 + 2_000 * seconds })
    .toBeGreaterThanOrEqual(seconds);

async function record(page: Page, seconds: number) {
  await button(page, "Start recording").click();
  await waitForClock(page, seconds);
  await button(page, "Stop").click();
  await expect(button(page, "Play")).toBeVisible();
}

async function fillFields(page: Page) {
  await page.getByLabel("Title").fill("How do you test a clock?");
  await page
    .getByLabel("Description")
    .fill("Ours goes on while the tests run.\nDo you stop it, or turn it?");
  await page.getByLabel("Keywords").fill("tests, time");
}

const chooseFile = (page: Page, file: { name: string; mimeType: string; buffer: Buffer }) =>
  page.locator('.recorder input[type="file"]').setInputFiles(file);
const send = (page: Page) => button(page, "Send").click();
const expectStored = (page: Page) =>
  expect(page).toHaveURL(/\/calls\/mine\?sent=/, { timeout: 15_000 });

/** Returns an array that gets the numbers of the parts as the server accepts them. */
function collectSentParts(context: BrowserContext): number[] {
  const sent: number[] = [];
  context.on("response", (response) => {
    const part = /\/calls\/upload\/[^/]+\/(\d+)$/.exec(response.url())?.[1];
    if (part && response.status() === 204) sent.push(Number(part));
  });
  return sent;
}

test("recording a call requires a login", async ({ page }) => {
  await page.goto("/calls/record");
  await expect(page).toHaveURL(/\/login\?next=(%2F|\/)calls(%2F|\/)record/);
});

test("a call is recorded, paused, resumed, played and sent as it was stored", async ({
  page,
  database,
  logIn,
}) => {
  test.setTimeout(60_000);
  const userId = await logIn();
  await openRecorder(page);
  await button(page, "Start recording").click();
  await waitForClock(page, 2);
  await button(page, "Pause").click();
  await expect(page.getByText("Paused.", { exact: true })).toBeVisible();
  const timePaused = await recorderClock(page).innerText();
  await fillFields(page);
  expect(await recorderClock(page).innerText()).toBe(timePaused);
  await button(page, "Resume").click();
  await waitForClock(page, 4);
  await button(page, "Stop").click();
  await expect(button(page, "Play")).toBeVisible();
  const seconds = await secondsShown(page);
  await button(page, "Play").click();
  await expect(page.locator(".recorder-seek")).toContainText(/0:0[2-9] \//);
  await expect(button(page, "Play")).toBeVisible({ timeout: 10_000 });
  await expect(page.locator(".recorder-player .form-error")).toHaveCount(0);

  const stored = Buffer.from((await readDrafts(page)).audio);
  await send(page);
  await expectStored(page);
  const [call, ...others] = readCalls(database, userId);
  expect(others).toEqual([]);
  expect(call).toMatchObject({
    title: "How do you test a clock?",
    description: "Ours goes on while the tests run.\nDo you stop it, or turn it?",
    keywords: "tests, time",
  });
  expect(sha256(readAudio(call))).toBe(sha256(stored));
  const audio = await probeAudio(readAudio(call));
  expect(audio).toMatchObject({ contentType: "audio/webm", codec: "opus" });
  expect(Math.abs(audio.durationMs / 1_000 - seconds)).toBeLessThan(1.5);
  expect(countOpenParts(database)).toBe(0);
  // The draft is removed only after the server has the call.
  await expect.poll(async () => (await readDrafts(page)).drafts).toBe(0);
  await openRecorder(page);
  await expect(page.getByLabel("Title")).toHaveValue("");
});

test("a tab that closes during the recording loses at most the last second, and no text", async ({
  page,
  context,
  database,
  logIn,
}) => {
  test.setTimeout(60_000);
  const userId = await logIn();
  await openRecorder(page);
  await fillFields(page);
  await button(page, "Start recording").click();
  await waitForClock(page, 4);
  await page.close();

  const restored = await context.newPage();
  await restored.goto("/calls/record");
  await expect(unsent(restored)).toContainText(/0:0[3-9]/);
  await expect(restored.getByText("The page was closed while you were recording")).toBeVisible();
  await expect(restored.getByLabel("Title")).toHaveValue("How do you test a clock?");
  await button(restored, "Play").click();
  await expect(restored.locator(".recorder-seek")).toContainText(/0:0[2-9] \//);
  const stored = Buffer.from((await readDrafts(restored)).audio);
  await button(restored, "Send recording").click();
  await expectStored(restored);
  const calls = readCalls(database, userId);
  expect(calls).toHaveLength(1);
  expect(sha256(readAudio(calls[0]))).toBe(sha256(stored));
  expect((await probeAudio(readAudio(calls[0]))).durationMs).toBeGreaterThan(2_500);
});

test.describe("if the connection to the server fails", () => {
  test.use({
    expectedErrors: ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "503", "401", "ERR_CONNECTION"],
  });

  test(
    "midway, the upload continues by itself with the missing parts",
    { tag: "@replica" },
    async ({ page, context, database, logIn }) => {
      const userId = await logIn();
      const file = makeWav(110);
      const sent = collectSentParts(context);
      await openRecorder(page);
      await fillFields(page);
      await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: file });
      await expect(page.getByText("1.8 MB")).toBeVisible();
      await page.route("**/calls/upload/*/2", async (route) => {
        await context.setOffline(true);
        await route.abort("internetdisconnected");
      });
      await send(page);
      await expect(page.getByText("You’re offline.")).toBeVisible();
      await expect(page.getByRole("progressbar")).toHaveAttribute(
        "value",
        String(Math.round((2 * PART_BYTES * 100) / file.length)),
      );
      expect(readCalls(database, userId)).toEqual([]);
      await page.unroute("**/calls/upload/*/2");
      await context.setOffline(false);
      await expectStored(page);
      expect(sent).toEqual([0, 1, 2, 3]);
      const calls = readCalls(database, userId);
      expect(calls).toHaveLength(1);
      expect(sha256(readAudio(calls[0]))).toBe(sha256(file));
    },
  );

  test("behind a Wi-Fi login, whose page replaces each response, the upload continues afterwards", async ({
    page,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    const file = makeWav(20);
    await openRecorder(page);
    await fillFields(page);
    await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: file });
    await expect(button(page, "Play")).toBeVisible();
    for (const url of ["**/calls/upload", "**/calls/upload/*/0"])
      await page.route(
        url,
        (route) => route.fulfill({ status: 200, contentType: "text/html", body: "<p>Log in</p>" }),
        { times: 1 },
      );
    await send(page);
    await expectStored(page);
    expect(sha256(readAudio(readCalls(database, userId)[0]))).toBe(sha256(file));
  });

  test("and the page is reloaded, the same upload continues where it was", async ({
    page,
    context,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    const file = makeWav(100);
    const sent = collectSentParts(context);
    await openRecorder(page);
    await fillFields(page);
    await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: file });
    await expect(button(page, "Play")).toBeVisible();
    await page.route("**/calls/upload/*/1", (route) =>
      route.fulfill({ status: 503, headers: { "retry-after": "30" } }),
    );
    await send(page);
    await expect(page.getByText("Retrying in 30 s.")).toBeVisible();
    await page.unroute("**/calls/upload/*/1");
    await page.reload();
    await expect(unsent(page)).toContainText("1:40");
    await send(page);
    await expectStored(page);
    expect(sent).toEqual([0, 1, 2, 3]);
    expect(
      database.prepare(`SELECT count(*) FROM "Upload" WHERE "userId" = ?`).pluck().get(userId),
    ).toBe(1);
    const calls = readCalls(database, userId);
    expect(calls).toHaveLength(1);
    expect(sha256(readAudio(calls[0]))).toBe(sha256(file));
  });

  test("and the response to the form is lost, resending it makes no second call", async ({
    page,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    await openRecorder(page);
    await record(page, 2);
    await fillFields(page);
    let losesResponse = true;
    await page.route("**/calls/record", async (route) => {
      if (route.request().method() !== "POST" || !losesResponse) return route.fallback();
      losesResponse = false;
      await route.fetch({ maxRedirects: 0 });
      await route.abort("failed");
    });
    await send(page);
    await expect(page.getByRole("alert").filter({ hasText: "still here" })).toBeVisible();
    expect(readCalls(database, userId)).toHaveLength(1);
    await expect(page.getByLabel("Title")).toHaveValue("How do you test a clock?");
    // The same holds after a reload, immediately after a change.
    await page.getByLabel("Keywords").fill("tests, time, clocks");
    await page.reload();
    await expect(unsent(page)).toBeVisible();
    await expect(page.getByLabel("Title")).toHaveValue("How do you test a clock?");
    await expect(page.getByLabel("Keywords")).toHaveValue("tests, time, clocks");
    await button(page, "Send recording").click();
    await expectStored(page);
    expect(readCalls(database, userId)).toHaveLength(1);
    expect(countOpenParts(database)).toBe(0);
  });

  test("because the session has expired, the upload continues after the next login", async ({
    page,
    context,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    const file = makeWav(60);
    await openRecorder(page);
    await fillFields(page);
    await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: file });
    await expect(button(page, "Play")).toBeVisible();
    await page.route(
      "**/calls/upload/*/1",
      async (route) => {
        database.prepare(`DELETE FROM "Session" WHERE "userId" = ?`).run(userId);
        await route.continue();
      },
      { times: 1 },
    );
    await send(page);
    await expect(page.getByText("Your session has expired.")).toBeVisible();
    await expect(page.getByRole("link", { name: "Log in (opens a new tab)" })).toHaveAttribute(
      "target",
      "_blank",
    );
    expect(readCalls(database, userId)).toEqual([]);
    await context.addCookies([
      { ...(await insertMemberSession(database, userId)), url: `http://localhost:${PORT}` },
    ]);
    await button(page, "Continue").click();
    await expectStored(page);
    expect(sha256(readAudio(readCalls(database, userId)[0]))).toBe(sha256(file));
  });

  test("the upload can be canceled, and a discarded recording is deleted on the server, too", async ({
    page,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    await openRecorder(page);
    await fillFields(page);
    await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: makeWav(50) });
    await expect(button(page, "Play")).toBeVisible();
    await page.route("**/calls/upload/*/1", (route) =>
      route.fulfill({ status: 503, headers: { "retry-after": "30" } }),
    );
    await send(page);
    await expect(page.getByText("Retrying in 30 s.")).toBeVisible();
    await button(page, "Cancel upload").click();
    await expect(page.getByRole("progressbar")).toHaveCount(0);
    await button(page, "Choose another file").click();
    await expect(button(page, "Cancel")).toBeFocused();
    await button(page, "Discard").click();
    await expect(button(page, "Start recording")).toBeFocused();
    await expect
      .poll(() =>
        database.prepare(`SELECT count(*) FROM "Upload" WHERE "userId" = ?`).pluck().get(userId),
      )
      .toBe(0);
    expect((await readDrafts(page)).audio).toEqual([]);
    await send(page);
    await expect(page.getByText("There is no recording yet")).toBeVisible();
    expect(readCalls(database, userId)).toEqual([]);
  });
});

test("the text is kept even if the page is reloaded immediately after typing", async ({
  page,
  logIn,
}) => {
  await logIn();
  await openRecorder(page);
  await fillFields(page);
  await page.reload();
  await expect(page.getByLabel("Title")).toHaveValue("How do you test a clock?");
  await expect(page.getByLabel("Description")).toHaveValue(/Do you stop it/);
  await expect(page.getByLabel("Keywords")).toHaveValue("tests, time");
});

test.describe("a form that is submitted too early", () => {
  const openGate = (page: Page) =>
    page.evaluate(() => (window as unknown as { openGate(): void }).openGate());

  /** Reloads the page; it gets the draft only after openGate(). */
  async function reloadWithGate(page: Page) {
    await page.addInitScript(() => {
      const original = LockManager.prototype.request as (...args: unknown[]) => Promise<unknown>;
      const gate = new Promise<void>((resolve) => Object.assign(window, { openGate: resolve }));
      LockManager.prototype.request = async function (this: LockManager, ...args: unknown[]) {
        Object.assign(window, { isWaiting: true });
        await gate;
        return original.apply(this, args);
      } as typeof LockManager.prototype.request;
    });
    await page.reload();
    await page.waitForFunction(() => "isWaiting" in window);
  }

  test("waits for the file that is being read", async ({ page, database, logIn }) => {
    const userId = await logIn();
    await page.addInitScript(() => {
      const original = File.prototype.arrayBuffer;
      const gate = new Promise<void>((resolve) => Object.assign(window, { openGate: resolve }));
      File.prototype.arrayBuffer = async function () {
        await gate;
        return original.call(this);
      };
    });
    await openRecorder(page);
    await fillFields(page);
    await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: makeWav(2) });
    await send(page);
    await expect(
      page.getByRole("status").filter({ hasText: "We’ll send it once it’s ready." }),
    ).toBeVisible();
    await expectAccessible(page, "waiting for the file", [DESKTOP]);
    // A canceled submission is not sent; the next one is.
    await button(page, "Cancel upload").click();
    await expect(button(page, "Send")).toBeVisible();
    await send(page);
    await openGate(page);
    await expectStored(page);
    expect(readCalls(database, userId)).toHaveLength(1);
  });

  test("waits for the draft with its text", async ({ page, database, logIn }) => {
    const userId = await logIn();
    await openRecorder(page);
    await record(page, 1);
    await fillFields(page);
    await reloadWithGate(page);
    await expect(page.getByLabel("Title")).toHaveValue("");
    await send(page);
    await expect(
      page.getByRole("status").filter({ hasText: "We’ll send it once it’s loaded." }),
    ).toBeVisible();
    await openGate(page);
    await expectStored(page);
    expect(readCalls(database, userId).map(({ title }) => title)).toEqual([
      "How do you test a clock?",
    ]);
  });

  test("asks for what is missing once the draft is loaded", async ({ page, logIn }) => {
    await logIn();
    await openRecorder(page);
    await record(page, 1);
    await reloadWithGate(page);
    await send(page);
    await expect(
      page.getByRole("status").filter({ hasText: "We’ll send it once it’s loaded." }),
    ).toBeVisible();
    await openGate(page);
    await expect(unsent(page)).toBeVisible();
    await expect(page.getByLabel("Title")).toBeFocused();
    await expect(button(page, "Send")).toBeVisible();
  });
});

test("the recording stops by itself after two minutes", async ({ page, logIn }) => {
  await logIn();
  await page.clock.install();
  await openRecorder(page);
  await button(page, "Start recording").click();
  await expect(button(page, "Stop")).toBeVisible();
  await page.clock.runFor(60_000);
  await expect(recorderClock(page)).toContainText("1:0");
  await page.clock.runFor(50_000);
  await expect(page.locator(".recorder-state")).toContainText("seconds left");
  await expect(page.locator(".recorder > [role=status]").first()).toContainText("10 seconds left.");
  await page.clock.runFor(15_000);
  await expect(recorderClock(page)).toContainText("2:00");
  await expect(page.getByText("Time’s up after 2 minutes.")).toBeAttached();
  await expect(button(page, "Play")).toBeFocused();
});

test("a file is validated before the upload by the rules of the server", async ({
  page,
  context,
  database,
  logIn,
}) => {
  const userId = await logIn();
  const sent = collectSentParts(context);
  await openRecorder(page);
  for (const [name, buffer, reason] of [
    ["notes.txt", Buffer.from("not a recording at all"), /M4A/],
    ["long.wav", makeWav(180), /2:00|2 minutes/],
    ["large.wav", makeWav(400), /5(\.2)? MB/],
    ["empty.webm", Buffer.alloc(0), /empty/],
  ] as const) {
    await chooseFile(page, { name, mimeType: "audio/wav", buffer });
    await expect(
      page.getByRole("alert").filter({ hasText: "We can’t use this file." }),
      name,
    ).toContainText(reason);
    await expect(button(page, "Start recording")).toBeVisible();
  }
  const file = makeWav(3);
  await chooseFile(page, { name: "A question <b>.wav", mimeType: "audio/wav", buffer: file });
  await expect(button(page, "Play")).toBeVisible();
  await expect(page.locator(".recorder-file")).toContainText("A question <b>.wav");
  await expect(recorderClock(page)).toContainText("0:03");
  await fillFields(page);
  await send(page);
  await expectStored(page);
  expect(sent).toEqual([0]);
  expect(sha256(readAudio(readCalls(database, userId)[0]))).toBe(sha256(file));
});

test("a refused form keeps the recording and the text, and uploads the audio once", async ({
  page,
  context,
  database,
  logIn,
}) => {
  const userId = await logIn();
  const sent = collectSentParts(context);
  await openRecorder(page);
  await record(page, 2);
  await fillFields(page);
  await page.getByLabel("Title").fill("x".repeat(51));
  await expect(page.getByText("51/50")).toBeVisible();
  await send(page);
  await expect(page.getByLabel("Title")).toHaveAttribute("aria-invalid", "true");
  await expect(page.getByLabel("Title")).toBeFocused();
  await expect(page.getByLabel("Title")).toHaveValue("x".repeat(51));
  await expect(page.getByLabel("Description")).toHaveValue(/Do you stop it/);
  await page.getByLabel("Title").fill("A title that fits");
  await send(page);
  await expectStored(page);
  expect(sent).toEqual([0]);
  expect(readCalls(database, userId).map(({ title }) => title)).toEqual(["A title that fits"]);
});

test("the draft of one member is not shown to the next one on the same computer", async ({
  page,
  logIn,
}) => {
  await logIn();
  await openRecorder(page);
  await fillFields(page);
  await record(page, 2);
  await logIn({ firstName: "Grace" });
  await page.reload();
  await expect(button(page, "Start recording")).toBeVisible();
  await expect(page.getByLabel("Title")).toHaveValue("");
});

test("a second tab says that the recording is open in another tab, and takes over when that one is closed", async ({
  page,
  context,
  logIn,
}) => {
  await logIn();
  await openRecorder(page);
  await record(page, 2);
  const second = await context.newPage();
  await second.goto("/calls/record");
  await expect(second.getByText("This recording is open in another tab.")).toBeVisible();
  await second.getByLabel("Title").fill("Typed in the second tab");
  // Longer than the delay before a text is saved.
  await second.waitForTimeout(600);
  await page.close();
  await expect(unsent(second)).toBeVisible();
  await second.reload();
  await expect(unsent(second)).toBeVisible();
  await expect(second.getByLabel("Title")).toHaveValue("Typed in the second tab");
});

test("a microphone that can't be used is explained, and a file can be uploaded instead", async ({
  page,
  logIn,
}) => {
  await logIn();
  for (const [name, sentence] of [
    ["NotAllowedError", "Microphone access is blocked."],
    ["NotFoundError", "No microphone found."],
    ["NotReadableError", "The microphone is in use."],
  ] as const) {
    await openRecorder(page);
    await page.evaluate((error) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", error));
    }, name);
    await button(page, "Start recording").click();
    await expect(page.getByRole("alert").filter({ hasText: sentence })).toBeVisible();
    await expect(button(page, "Choose a file")).toBeVisible();
  }
});

test("a browser that can't record or store anything can still send files and text", async ({
  page,
  database,
  logIn,
}) => {
  const userId = await logIn();
  await page.addInitScript(() => {
    Object.defineProperty(window, "MediaRecorder", { value: undefined });
    indexedDB.open = () => {
      throw new DOMException("blocked", "SecurityError");
    };
  });
  await openRecorder(page);
  await expect(page.getByText("Your browser can’t record.")).toBeVisible();
  await expect(page.getByText("Your browser can’t save drafts.")).toBeVisible();
  await fillFields(page);
  await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: makeWav(2) });
  await expect(button(page, "Play")).toBeVisible();
  await send(page);
  await expectStored(page);
  expect(readCalls(database, userId)).toHaveLength(1);
});

test("the microphone is released when nothing is recorded", async ({ page, logIn }) => {
  await logIn();
  await page.addInitScript(() => {
    const original = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const tracks: MediaStreamTrack[] = [];
    Object.assign(window, {
      liveTracks: () => tracks.filter(({ readyState }) => readyState === "live").length,
    });
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await original(constraints);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
  const countLiveTracks = () =>
    page.evaluate(() => (window as unknown as { liveTracks(): number }).liveTracks());
  await openRecorder(page);
  await button(page, "Test microphone").click();
  await expect(page.getByText("Say something.")).toBeVisible();
  expect(await countLiveTracks()).toBe(1);
  const microphone = page.getByLabel("Microphone");
  await microphone.focus();
  await microphone.selectOption({ index: 1 });
  await expect(page.getByText("Say something.")).toBeVisible();
  await expect.poll(countLiveTracks).toBe(1);
  await expect(microphone).toBeFocused();
  await button(page, "Stop test").click();
  await expect.poll(countLiveTracks).toBe(0);
  await button(page, "Test microphone").click();
  await expect.poll(countLiveTracks).toBe(1);
  await page.getByRole("radio", { name: "Type" }).check();
  await expect.poll(countLiveTracks).toBe(0);
  await page.getByRole("radio", { name: "Record" }).check();
  await record(page, 1);
  expect(await countLiveTracks()).toBe(0);
});

test("a microphone that is silent or gets disconnected is explained", async ({ page, logIn }) => {
  await logIn();
  await page.addInitScript(() => {
    // A silent stream that the test can end.
    navigator.mediaDevices.getUserMedia = async () => {
      const context = new AudioContext();
      const muted = new GainNode(context, { gain: 0 });
      const destination = context.createMediaStreamDestination();
      const tone = new OscillatorNode(context);
      tone.connect(muted).connect(destination);
      tone.start();
      const { stream } = destination;
      Object.assign(window, {
        unplug: () =>
          stream.getAudioTracks().forEach((track) => track.dispatchEvent(new Event("ended"))),
      });
      return stream;
    };
  });
  await openRecorder(page);
  await button(page, "Start recording").click();
  await expect(page.getByText("We can’t hear anything.")).toBeVisible({
    timeout: 20_000,
  });
  await page.evaluate(() => (window as unknown as { unplug(): void }).unplug());
  await expect(page.getByText("The microphone was disconnected.")).toBeVisible();
  await expect(button(page, "Play")).toBeVisible();
});

test("the microphone can be used after a login that redirects here", async ({
  page,
  database,
  waitForEmail,
}) => {
  const { email } = insertUser(createSql(database));
  await page.goto("/calls/record");
  await page.locator('input[type="email"]').fill(email);
  await page.keyboard.press("Enter");
  const code = /\b\d{6}\b/.exec((await waitForEmail(email)).text)?.[0] ?? "";
  await page.getByRole("textbox", { name: /code/i }).fill(code);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/calls\/record$/);
  await record(page, 1);
});

test("a typed question is sent without the recording", async ({ page, database, logIn }) => {
  const userId = await logIn();
  await openRecorder(page);
  await record(page, 1);
  await page.getByRole("radio", { name: "Type" }).check();
  await expect(page.locator(".recorder")).toBeHidden();
  await page.getByLabel("Title").fill("In writing");
  await page.getByLabel("Your question").fill("Would you rather read this than hear it?");
  await page.getByLabel("Keywords").fill("words");
  await send(page);
  await expectStored(page);
  expect(readCalls(database, userId)).toMatchObject([
    { title: "In writing", audio: Buffer.alloc(0) },
  ]);
  expect(
    database.prepare(`SELECT count(*) FROM "Upload" WHERE "userId" = ?`).pluck().get(userId),
  ).toBe(0);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });
  test("the question is typed, refused with its text kept, and sent", async ({
    page,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    await page.goto("/calls/record");
    await expect(page.getByText("Recording needs JavaScript")).toBeVisible();
    await expect(page.locator(".recorder")).toBeHidden();
    await page.getByLabel("Title").fill("No scripts here");
    await page.getByLabel("Description").fill("Can a question be asked without any script at all?");
    await page.getByLabel("Keywords").fill("k".repeat(101));
    await send(page);
    await expect(page.getByLabel("Keywords")).toHaveAttribute("aria-invalid", "true");
    await expect(page.getByLabel("Title")).toHaveValue("No scripts here");
    await page.getByLabel("Keywords").fill("html");
    await send(page);
    await expectStored(page);
    expect(readCalls(database, userId)).toMatchObject([
      { title: "No scripts here", keywords: "html", audio: Buffer.alloc(0) },
    ]);
  });
});

test("recording works by keyboard alone on a phone, and every state is accessible", async ({
  page,
  logIn,
}) => {
  test.setTimeout(60_000);
  await logIn();
  await page.setViewportSize(PHONE);
  await page.emulateMedia({ reducedMotion: "reduce" });
  const check = (state: string) => expectAccessible(page, state, [PHONE]);
  await openRecorder(page);
  await check("idle");
  await button(page, "Start recording").focus();
  await page.keyboard.press("Enter");
  await expect(button(page, "Pause")).toBeFocused();
  await check("recording");
  await waitForClock(page, 2);
  await page.keyboard.press("Enter");
  await expect(button(page, "Resume")).toBeFocused();
  await check("paused");
  await page.keyboard.press("Tab");
  await expect(button(page, "Stop")).toBeFocused();
  await page.keyboard.press("Enter");
  await expect(button(page, "Play")).toBeFocused();
  await check("recorded");
  await page.reload();
  await expect(unsent(page)).toBeVisible();
  await check("restored");
  await button(page, "Discard").focus();
  await page.keyboard.press("Enter");
  await expect(button(page, "Cancel")).toBeFocused();
  await check("confirming");
  await page.keyboard.press("Enter");
  await expect(button(page, "Discard")).toBeFocused();
  await page.route("**/calls/upload", () => {}); // never answered
  await fillFields(page);
  await page.getByLabel("Keywords").press("Enter");
  await expect(page.getByText(/(Preparing|Uploading) the recording…/)).toBeVisible();
  await check("sending");
});
