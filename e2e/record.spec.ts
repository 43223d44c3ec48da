// Leaving a call with Chromium's fake microphone (a beep a second), until the server has it.

import { createHash } from "node:crypto";
import type { BrowserContext, Page } from "@playwright/test";
import type Database from "better-sqlite3";
import { decodeRecording, probeAudio } from "#lib/calls/audio/probe.ts";
import { createSql } from "#lib/db/connection.ts";
import { insertUser } from "#tests/support/factories.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { PORT } from "#tests/support/e2e/site-under-test.ts";

const PART_BYTES = 524_288;

interface CallRow {
  id: string;
  title: string;
  description: string;
  keywords: string;
  base64: string;
}

const callsOf = (database: Database.Database, userId: string) =>
  database
    .prepare(
      `SELECT "id", "title", "description", "keywords", "base64" FROM "Call" WHERE "userId" = ?`,
    )
    .all(userId) as CallRow[];
const bytesOf = (call: CallRow | undefined) =>
  Buffer.from(decodeRecording(call?.base64 ?? "") ?? []);
const hashOf = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** A tone as WAV: 8 kHz, 16 bits, mono, so 16 kB a second. */
function wav(seconds: number): Buffer {
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

/** What the browser keeps, from its own database. */
function keptIn(page: Page): Promise<{ drafts: number; audio: number[] }> {
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
const clock = (page: Page) => page.locator(".recorder-clock");

async function open(page: Page) {
  await page.goto("/calls/record");
  await expect(
    button(page, "Start recording").or(page.getByText("You have an unsent")),
  ).toBeVisible();
}

const secondsShown = async (page: Page) => {
  const [, minutes, seconds] = /(\d+):(\d\d)/.exec(await clock(page).innerText()) ?? [];
  return Number(minutes) * 60 + Number(seconds);
};
/** At least: a busy machine may not look in just that second. */
const reaches = (page: Page, seconds: number) =>
  expect
    .poll(() => secondsShown(page), { timeout: 5_000 + 2_000 * seconds })
    .toBeGreaterThanOrEqual(seconds);

async function record(page: Page, seconds: number) {
  await button(page, "Start recording").click();
  await reaches(page, seconds);
  await button(page, "Stop").click();
  await expect(button(page, "Listen")).toBeVisible();
}

async function describe(page: Page) {
  await page.getByLabel("Title").fill("How do you test a clock?");
  await page
    .getByLabel("Description")
    .fill("Ours goes on while the tests run.\nDo you stop it, or turn it?");
  await page.getByLabel("Keywords").fill("tests, time");
}

const chooseFile = (page: Page, file: { name: string; mimeType: string; buffer: Buffer }) =>
  page.locator('.recorder input[type="file"]').setInputFiles(file);
const send = (page: Page) => button(page, "Send your call").click();
const arrived = (page: Page) => expect(page).toHaveURL(/\/calls\/mine\?sent=/, { timeout: 15_000 });

/** The numbers of the parts that are sent from now on, as the server answers them. */
function partsSent(context: BrowserContext): number[] {
  const sent: number[] = [];
  context.on("response", (response) => {
    const part = /\/calls\/upload\/[^/]+\/(\d+)$/.exec(response.url())?.[1];
    if (part && response.status() === 204) sent.push(Number(part));
  });
  return sent;
}

test("nobody records a call without being a member", async ({ page }) => {
  await page.goto("/calls/record");
  await expect(page).toHaveURL(/\/login\?next=(%2F|\/)calls(%2F|\/)record/);
});

test("a call is recorded, paused, gone on with, heard and sent as it was kept", async ({
  page,
  database,
  logIn,
}) => {
  test.setTimeout(60_000);
  const userId = await logIn();
  await open(page);
  await button(page, "Start recording").click();
  await reaches(page, 2);
  await button(page, "Pause").click();
  await expect(page.getByText("Paused. Nothing is heard")).toBeVisible();
  const paused = await clock(page).innerText();
  await describe(page);
  expect(await clock(page).innerText()).toBe(paused);
  await button(page, "Go on").click();
  await reaches(page, 4);
  await button(page, "Stop").click();
  await expect(button(page, "Listen")).toBeVisible();
  const length = await secondsShown(page);
  await button(page, "Listen").click();
  // Heard: its position moves, and at its end it can be heard again.
  await expect(page.locator(".recorder-seek")).toContainText("0:02 /");
  await expect(button(page, "Listen")).toBeVisible({ timeout: 10_000 });
  await expect(page.locator(".recorder-player .form-error")).toHaveCount(0);

  const kept = Buffer.from((await keptIn(page)).audio);
  await send(page);
  await arrived(page);
  const [call, ...others] = callsOf(database, userId);
  expect(others).toEqual([]);
  expect(call).toMatchObject({
    title: "How do you test a clock?",
    description: "Ours goes on while the tests run.\nDo you stop it, or turn it?",
    keywords: "tests, time",
  });
  expect(hashOf(bytesOf(call))).toBe(hashOf(kept));
  const audio = await probeAudio(bytesOf(call));
  expect(audio).toMatchObject({ contentType: "audio/webm", codec: "opus" });
  expect(Math.abs(audio.durationMs / 1_000 - length)).toBeLessThan(1.5);
  expect(database.prepare(`SELECT count(*) FROM "UploadPart"`).pluck().get()).toBe(0);
  // Only now the browser lets it go.
  await expect.poll(async () => (await keptIn(page)).drafts).toBe(0);
  await open(page);
  await expect(page.getByLabel("Title")).toHaveValue("");
});

test("a tab that closes while recording loses at most the last second, and none of the words", async ({
  page,
  context,
  database,
  logIn,
}) => {
  test.setTimeout(60_000);
  const userId = await logIn();
  await open(page);
  await describe(page);
  await button(page, "Start recording").click();
  await reaches(page, 4);
  await page.close();

  const again = await context.newPage();
  await again.goto("/calls/record");
  await expect(again.getByText("You have an unsent recording of")).toContainText(/0:0[3-9]/);
  await expect(again.getByText("The page was closed while you recorded")).toBeVisible();
  await expect(again.getByLabel("Title")).toHaveValue("How do you test a clock?");
  await button(again, "Listen").click();
  await expect(again.locator(".recorder-seek")).toContainText("0:02 /");
  const kept = Buffer.from((await keptIn(again)).audio);
  await button(again, "Send it").click();
  await arrived(again);
  const calls = callsOf(database, userId);
  expect(calls).toHaveLength(1);
  expect(hashOf(bytesOf(calls[0]))).toBe(hashOf(kept));
  expect((await probeAudio(bytesOf(calls[0]))).durationMs).toBeGreaterThan(2_500);
});

test.describe("when the way to the server breaks", () => {
  test.use({
    expectedErrors: ["ERR_INTERNET_DISCONNECTED", "ERR_FAILED", "503", "401", "ERR_CONNECTION"],
  });

  test("midway, it goes on by itself with the parts that are missing", async ({
    page,
    context,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    const file = wav(110);
    const sent = partsSent(context);
    await open(page);
    await describe(page);
    await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: file });
    await expect(page.getByText("1.8 MB")).toBeVisible();
    await page.route("**/calls/upload/*/2", async (route) => {
      await context.setOffline(true);
      await route.abort("internetdisconnected");
    });
    await send(page);
    await expect(page.getByText("You are offline. It goes on by itself")).toBeVisible();
    await expect(page.getByRole("progressbar")).toHaveAttribute(
      "value",
      String(Math.round((2 * PART_BYTES * 100) / file.length)),
    );
    expect(callsOf(database, userId)).toEqual([]);
    await page.unroute("**/calls/upload/*/2");
    await context.setOffline(false);
    await arrived(page);
    expect(sent).toEqual([0, 1, 2, 3]);
    const calls = callsOf(database, userId);
    expect(calls).toHaveLength(1);
    expect(hashOf(bytesOf(calls[0]))).toBe(hashOf(file));
  });

  test("and the page is loaded anew, the same upload goes on where it was", async ({
    page,
    context,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    const file = wav(100);
    const sent = partsSent(context);
    await open(page);
    await describe(page);
    await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: file });
    await expect(button(page, "Listen")).toBeVisible();
    await page.route("**/calls/upload/*/1", (route) =>
      route.fulfill({ status: 503, headers: { "retry-after": "30" } }),
    );
    await send(page);
    await expect(page.getByText(/Trying again in 30 seconds/)).toBeVisible();
    await page.unroute("**/calls/upload/*/1");
    await page.reload();
    await expect(page.getByText("You have an unsent file of")).toContainText("1:40");
    await send(page);
    await arrived(page);
    expect(sent).toEqual([0, 1, 2, 3]);
    expect(
      database.prepare(`SELECT count(*) FROM "Upload" WHERE "userId" = ?`).pluck().get(userId),
    ).toBe(1);
    const calls = callsOf(database, userId);
    expect(calls).toHaveLength(1);
    expect(hashOf(bytesOf(calls[0]))).toBe(hashOf(file));
  });

  test("and the answer to the form is lost, sending it again makes no second call", async ({
    page,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    await open(page);
    await record(page, 2);
    await describe(page);
    let isLost = true;
    await page.route("**/calls/record", async (route) => {
      if (route.request().method() !== "POST" || !isLost) return route.fallback();
      isLost = false;
      await route.fetch({ maxRedirects: 0 });
      await route.abort("failed");
    });
    await send(page);
    await expect(page.getByText("No answer came. What you wrote is still here")).toBeVisible();
    expect(callsOf(database, userId)).toHaveLength(1);
    await expect(page.getByLabel("Title")).toHaveValue("How do you test a clock?");
    // Also not after the page was loaded anew, at once after a word was changed.
    await page.getByLabel("Keywords").fill("tests, time, clocks");
    await page.reload();
    await expect(page.getByText("You have an unsent recording of")).toBeVisible();
    await expect(page.getByLabel("Title")).toHaveValue("How do you test a clock?");
    await expect(page.getByLabel("Keywords")).toHaveValue("tests, time, clocks");
    await button(page, "Send it").click();
    await arrived(page);
    expect(callsOf(database, userId)).toHaveLength(1);
    expect(database.prepare(`SELECT count(*) FROM "UploadPart"`).pluck().get()).toBe(0);
  });

  test("since the session has ended, it goes on after the next log-in", async ({
    page,
    context,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    const file = wav(60);
    await open(page);
    await describe(page);
    await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: file });
    await expect(button(page, "Listen")).toBeVisible();
    await page.route(
      "**/calls/upload/*/1",
      async (route) => {
        database.prepare(`DELETE FROM "Session" WHERE "userId" = ?`).run(userId);
        await route.continue();
      },
      { times: 1 },
    );
    await send(page);
    await expect(page.getByText("Your session has ended. Nothing is lost")).toBeVisible();
    await expect(page.getByRole("link", { name: "Log in (opens a new tab)" })).toHaveAttribute(
      "target",
      "_blank",
    );
    expect(callsOf(database, userId)).toEqual([]);
    await context.addCookies([
      { ...(await insertMemberSession(database, userId)), url: `http://localhost:${PORT}` },
    ]);
    await button(page, "I have logged in").click();
    await arrived(page);
    expect(hashOf(bytesOf(callsOf(database, userId)[0]))).toBe(hashOf(file));
  });

  test("sending can be stopped, and what was thrown away is given up on the server too", async ({
    page,
    database,
    logIn,
  }) => {
    const userId = await logIn();
    await open(page);
    await describe(page);
    await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: wav(50) });
    await expect(button(page, "Listen")).toBeVisible();
    await page.route("**/calls/upload/*/1", (route) =>
      route.fulfill({ status: 503, headers: { "retry-after": "30" } }),
    );
    await send(page);
    await expect(page.getByText(/Trying again in 30 seconds/)).toBeVisible();
    await button(page, "Stop sending").click();
    await expect(page.getByRole("progressbar")).toHaveCount(0);
    await button(page, "Take another").click();
    await expect(button(page, "Keep it")).toBeFocused();
    await button(page, "Throw it away").click();
    await expect(button(page, "Start recording")).toBeFocused();
    await expect
      .poll(() =>
        database.prepare(`SELECT count(*) FROM "Upload" WHERE "userId" = ?`).pluck().get(userId),
      )
      .toBe(0);
    expect((await keptIn(page)).audio).toEqual([]);
    await send(page);
    await expect(page.getByText("There is no recording yet")).toBeVisible();
    expect(callsOf(database, userId)).toEqual([]);
  });
});

test("the words are kept, however soon after typing them the page is left", async ({
  page,
  logIn,
}) => {
  await logIn();
  await open(page);
  await describe(page);
  await page.reload();
  await expect(page.getByLabel("Title")).toHaveValue("How do you test a clock?");
  await expect(page.getByLabel("Description")).toHaveValue(/Do you stop it/);
  await expect(page.getByLabel("Keywords")).toHaveValue("tests, time");
});

test.describe("pressed too early, one press is enough:", () => {
  const goOn = (page: Page) => page.evaluate(() => (window as unknown as { goOn(): void }).goOn());

  /** Loads the page anew until it asks for the draft, which it gets after goOn(). */
  async function reloadHeld(page: Page) {
    await page.addInitScript(() => {
      const given = LockManager.prototype.request as (...all: unknown[]) => Promise<unknown>;
      const gate = new Promise<void>((resolve) => Object.assign(window, { goOn: resolve }));
      LockManager.prototype.request = async function (this: LockManager, ...all: unknown[]) {
        Object.assign(window, { isAsked: true });
        await gate;
        return given.apply(this, all);
      } as typeof LockManager.prototype.request;
    });
    await page.reload();
    await page.waitForFunction(() => "isAsked" in window);
  }

  test("it waits for the file that is still being read", async ({ page, database, axe, logIn }) => {
    const userId = await logIn();
    await page.addInitScript(() => {
      const given = File.prototype.arrayBuffer;
      const gate = new Promise<void>((resolve) => Object.assign(window, { goOn: resolve }));
      File.prototype.arrayBuffer = async function () {
        await gate;
        return given.call(this);
      };
    });
    await open(page);
    await describe(page);
    await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: wav(2) });
    await send(page);
    await expect(
      page
        .getByRole("status")
        .filter({ hasText: "The file is still being read. It is sent as soon as that is done." }),
    ).toBeVisible();
    expect((await axe().analyze()).violations.map(({ id }) => id)).toEqual([]);
    // Given up it is not sent, and pressed again it is.
    await button(page, "Stop sending").click();
    await expect(button(page, "Send your call")).toBeVisible();
    await send(page);
    await goOn(page);
    await arrived(page);
    expect(callsOf(database, userId)).toHaveLength(1);
  });

  test("it waits for the draft, with its words", async ({ page, database, logIn }) => {
    const userId = await logIn();
    await open(page);
    await record(page, 1);
    await describe(page);
    await reloadHeld(page);
    await expect(page.getByLabel("Title")).toHaveValue("");
    await send(page);
    await expect(
      page.getByRole("status").filter({ hasText: "It is sent as soon as it is found." }),
    ).toBeVisible();
    await goOn(page);
    await arrived(page);
    expect(callsOf(database, userId).map(({ title }) => title)).toEqual([
      "How do you test a clock?",
    ]);
  });

  test("what is still missing then is asked for", async ({ page, logIn }) => {
    await logIn();
    await open(page);
    await record(page, 1);
    await reloadHeld(page);
    await send(page);
    await expect(
      page.getByRole("status").filter({ hasText: "It is sent as soon as it is found." }),
    ).toBeVisible();
    await goOn(page);
    await expect(page.getByText("You have an unsent recording of")).toBeVisible();
    await expect(page.getByLabel("Title")).toBeFocused();
    await expect(button(page, "Send your call")).toBeVisible();
  });
});

test("the recording ends by itself after two minutes", async ({ page, logIn }) => {
  await logIn();
  await page.clock.install();
  await open(page);
  await button(page, "Start recording").click();
  await expect(button(page, "Stop")).toBeVisible();
  await page.clock.runFor(60_000);
  await expect(clock(page)).toContainText("1:0");
  await page.clock.runFor(50_000);
  await expect(page.locator(".recorder-state")).toContainText("seconds left");
  await expect(page.locator(".recorder > [role=status]").first()).toContainText("10 seconds left.");
  await page.clock.runFor(15_000);
  await expect(clock(page)).toContainText("2:00");
  await expect(page.getByText("The 2 minutes are over.")).toBeAttached();
  await expect(button(page, "Listen")).toBeFocused();
});

test("a file is looked at before it travels, and refused in the words of the server", async ({
  page,
  context,
  database,
  logIn,
}) => {
  const userId = await logIn();
  const sent = partsSent(context);
  await open(page);
  for (const [name, buffer, sentence] of [
    ["notes.txt", Buffer.from("not a recording at all"), "This is not a recording that we know."],
    ["long.wav", wav(180), "The recording lasts 3 minutes; at most 2 minutes fit."],
    ["large.wav", wav(400), "at most 5.2 MB fit"],
    ["empty.webm", Buffer.alloc(0), "The recording is empty."],
  ] as const) {
    await chooseFile(page, { name, mimeType: "audio/wav", buffer });
    await expect(
      page.getByRole("alert").filter({ hasText: "This file can’t be taken." }),
      name,
    ).toContainText(sentence);
    await expect(button(page, "Start recording")).toBeVisible();
  }
  const file = wav(3);
  await chooseFile(page, { name: "A question <b>.wav", mimeType: "audio/wav", buffer: file });
  await expect(button(page, "Listen")).toBeVisible();
  await expect(page.locator(".recorder-file")).toContainText("A question <b>.wav");
  await expect(clock(page)).toContainText("0:03");
  await describe(page);
  await send(page);
  await arrived(page);
  expect(sent).toEqual([0]);
  expect(hashOf(bytesOf(callsOf(database, userId)[0]))).toBe(hashOf(file));
});

test("a refused form keeps the recording and every word, and sends the audio once", async ({
  page,
  context,
  database,
  logIn,
}) => {
  const userId = await logIn();
  const sent = partsSent(context);
  await open(page);
  await record(page, 2);
  await describe(page);
  await page.getByLabel("Title").fill("x".repeat(51));
  await expect(page.getByText("1 too many")).toBeVisible();
  await send(page);
  await expect(page.getByText("The title has 51 characters; at most 50 fit.")).toBeVisible();
  await expect(page.getByLabel("Title")).toBeFocused();
  await expect(page.getByLabel("Title")).toHaveValue("x".repeat(51));
  await expect(page.getByLabel("Description")).toHaveValue(/Do you stop it/);
  await page.getByLabel("Title").fill("A title that fits");
  await send(page);
  await arrived(page);
  expect(sent).toEqual([0]);
  expect(callsOf(database, userId).map(({ title }) => title)).toEqual(["A title that fits"]);
});

test("what one member keeps is not shown to the next at the same computer", async ({
  page,
  logIn,
}) => {
  await logIn();
  await open(page);
  await describe(page);
  await record(page, 2);
  await logIn({ firstName: "Grace" });
  await page.reload();
  await expect(button(page, "Start recording")).toBeVisible();
  await expect(page.getByLabel("Title")).toHaveValue("");
});

test("a second tab says that the recording is open elsewhere, and takes over when that one is closed", async ({
  page,
  context,
  logIn,
}) => {
  await logIn();
  await open(page);
  await record(page, 2);
  const second = await context.newPage();
  await second.goto("/calls/record");
  await expect(second.getByText("This recording is open in another tab.")).toBeVisible();
  await page.close();
  await expect(second.getByText("You have an unsent recording of")).toBeVisible();
});

test("a member who may not use the microphone is told how, and can still send", async ({
  page,
  logIn,
}) => {
  await logIn();
  for (const [name, sentence] of [
    ["NotAllowedError", "The browser did not allow the microphone."],
    ["NotFoundError", "No microphone was found."],
    ["NotReadableError", "The microphone can’t be opened."],
  ] as const) {
    await open(page);
    await page.evaluate((error) => {
      navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", error));
    }, name);
    await button(page, "Start recording").click();
    await expect(page.getByRole("alert").filter({ hasText: sentence })).toBeVisible();
    await expect(button(page, "Choose a file")).toBeVisible();
  }
});

test("a browser that can't record or keep anything still takes files and words", async ({
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
  await open(page);
  await expect(page.getByText("This browser can’t record.")).toBeVisible();
  await expect(page.getByText("This browser does not keep recordings.")).toBeVisible();
  await describe(page);
  await chooseFile(page, { name: "question.wav", mimeType: "audio/wav", buffer: wav(2) });
  await expect(button(page, "Listen")).toBeVisible();
  await send(page);
  await arrived(page);
  expect(callsOf(database, userId)).toHaveLength(1);
});

test("the microphone is let go when nothing is recorded", async ({ page, logIn }) => {
  await logIn();
  await page.addInitScript(() => {
    const given = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    const tracks: MediaStreamTrack[] = [];
    Object.assign(window, {
      liveTracks: () => tracks.filter(({ readyState }) => readyState === "live").length,
    });
    navigator.mediaDevices.getUserMedia = async (constraints) => {
      const stream = await given(constraints);
      tracks.push(...stream.getTracks());
      return stream;
    };
  });
  const live = () =>
    page.evaluate(() => (window as unknown as { liveTracks(): number }).liveTracks());
  await open(page);
  await button(page, "Try the microphone").click();
  await expect(page.getByText("Say something: the bars should move.")).toBeVisible();
  expect(await live()).toBe(1);
  await page.getByLabel("Microphone").selectOption({ index: 1 });
  await expect(page.getByText("Say something: the bars should move.")).toBeVisible();
  await expect.poll(live).toBe(1);
  await button(page, "Switch it off").click();
  await expect.poll(live).toBe(0);
  await record(page, 1);
  expect(await live()).toBe(0);
});

test("a microphone that hears nothing, and one that goes away, are told in words", async ({
  page,
  logIn,
}) => {
  await logIn();
  await page.addInitScript(() => {
    // A real stream without a sound, which the test can end.
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
  await open(page);
  await button(page, "Start recording").click();
  await expect(page.getByText("Nothing is heard. Is the microphone muted")).toBeVisible({
    timeout: 10_000,
  });
  await page.evaluate(() => (window as unknown as { unplug(): void }).unplug());
  await expect(page.getByText("The microphone went away.")).toBeVisible();
  await expect(button(page, "Listen")).toBeVisible();
});

test("after a log-in that leads here, the microphone may be used", async ({
  page,
  database,
  mailTo,
}) => {
  const { email } = insertUser(createSql(database));
  await page.goto("/calls/record");
  await page.getByLabel("Your address for mail").fill(email);
  await page.keyboard.press("Enter");
  const code = /\b\d{6}\b/.exec((await mailTo(email)).text)?.[0] ?? "";
  await page.getByRole("textbox", { name: /code/i }).fill(code);
  await page.keyboard.press("Enter");
  await expect(page).toHaveURL(/\/calls\/record$/);
  await record(page, 1);
});

test("a question is written instead, and the recording is not sent with it", async ({
  page,
  database,
  logIn,
}) => {
  const userId = await logIn();
  await open(page);
  await record(page, 1);
  await page.getByLabel("Write").check();
  await expect(page.locator(".recorder")).toBeHidden();
  await page.getByLabel("Title").fill("In writing");
  await page.getByLabel("Your question").fill("Would you rather read this than hear it?");
  await page.getByLabel("Keywords").fill("words");
  await send(page);
  await arrived(page);
  expect(callsOf(database, userId)).toMatchObject([{ title: "In writing", base64: "" }]);
  expect(
    database.prepare(`SELECT count(*) FROM "Upload" WHERE "userId" = ?`).pluck().get(userId),
  ).toBe(0);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });
  test("the question is typed, refused with everything kept, and sent", async ({
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
    await expect(
      page
        .getByText("The keywords has 101 characters")
        .or(page.getByText(/keywords.*at most 100 fit/i))
        .first(),
    ).toBeVisible();
    await expect(page.getByLabel("Title")).toHaveValue("No scripts here");
    await page.getByLabel("Keywords").fill("html");
    await send(page);
    await arrived(page);
    expect(callsOf(database, userId)).toMatchObject([
      { title: "No scripts here", keywords: "html", base64: "" },
    ]);
  });
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`recording works by keyboard alone on a phone, accessible in every state: ${colorScheme}`, async ({
    page,
    axe,
    logIn,
  }) => {
    test.setTimeout(60_000);
    await logIn();
    await page.setViewportSize({ width: 390, height: 844 });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const check = async (state: string) => {
      const { violations } = await axe().analyze();
      expect(
        violations.map(
          ({ id, nodes }) =>
            `${state} ${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`,
        ),
      ).toEqual([]);
      expect(
        await page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        ),
        `${state} scrolls sideways`,
      ).toBeLessThanOrEqual(0);
    };
    await open(page);
    await check("idle");
    await button(page, "Start recording").focus();
    await page.keyboard.press("Enter");
    await expect(button(page, "Pause")).toBeFocused();
    await check("recording");
    await reaches(page, 2);
    await page.keyboard.press("Enter");
    await expect(button(page, "Go on")).toBeFocused();
    await check("paused");
    await page.keyboard.press("Tab");
    await expect(button(page, "Stop")).toBeFocused();
    await page.keyboard.press("Enter");
    await expect(button(page, "Listen")).toBeFocused();
    await check("recorded");
    await page.reload();
    await expect(page.getByText("You have an unsent recording of")).toBeVisible();
    await check("found");
    await button(page, "Throw away").focus();
    await page.keyboard.press("Enter");
    await expect(button(page, "Keep it")).toBeFocused();
    await check("asking");
    await page.keyboard.press("Enter");
    await expect(button(page, "Throw away")).toBeFocused();
    await page.route("**/calls/upload", () => {}); // never answered
    await describe(page);
    await page.getByLabel("Keywords").press("Enter");
    await expect(
      page.getByText("Getting the recording ready…").or(page.getByText("Sending the recording…")),
    ).toBeVisible();
    await check("sending");
  });
}
