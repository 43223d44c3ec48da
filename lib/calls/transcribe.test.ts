import { randomUUID } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { insertAnswer, insertCall, insertEpisode, insertUser } from "#tests/support/factories.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { read, write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { editCall } from "./review.ts";
import { readSpokenText } from "./searchable-episodes.ts";
import {
  parseTranscribeCommand,
  requestTranscription,
  runTranscriptions,
  startTranscriptionPolling,
} from "./transcribe.ts";

const AUDIO = readFileSync("tests/fixtures/audio/tone.mp3");

afterEach(() => {
  overrideEnv({ TRANSCRIBE_COMMAND: undefined });
  setClock(null);
});

/** Configures a shell script as the command; $1 is the audio. */
function setCommand(script: string, args = ""): string {
  const file = join(env.DATA_DIR, `transcribe ${randomUUID()}`);
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
  overrideEnv({ TRANSCRIBE_COMMAND: `"${file}" ${args}` });
  return file;
}

/** Publishes a call and requests its transcript. Returns the call's ID. */
async function publishAndRequest(slug: string, transcript = ""): Promise<string> {
  return write(async (tx) => {
    const { id: callId } = insertCall(tx, { userId: insertUser(tx).id });
    sqlOf(tx).run(`UPDATE "CallReview" SET "state" = 'PUBLISHED' WHERE "callId" = ?`, callId);
    insertAnswer(tx, { callId, contentType: "audio/mpeg", audio: AUDIO });
    insertEpisode(tx, { callId, slug, transcript, updatedAt: nowMs() });
    await requestTranscription(tx, callId);
    return callId;
  });
}

const findRequest = (callId: string) =>
  read((tx) => tx.transcription.findUnique({ where: { callId } }));
const findTranscript = (callId: string) =>
  read((tx) =>
    tx.episode.findUniqueOrThrow({
      where: { callId },
      select: { transcript: true, updatedAt: true },
    }),
  );
const leftoverDirs = () =>
  readdirSync(env.DATA_DIR).filter((name) => name.startsWith("transcribe-"));

test("the command gets the episode's audio, and its transcript is stored and found", async () => {
  setCommand(
    `printf 'WEBVTT\\n\\n00:00.000 --> 00:01.000\\n<v Ada>%s bytes of lecterns\\n' "$(wc -c < "$2" | tr -d ' ')"`,
    "-f {file}",
  );
  const callId = await publishAndRequest("heard");
  const { updatedAt } = await findTranscript(callId);
  await runTranscriptions();
  const stored = await findTranscript(callId);
  expect(stored.transcript).toBe(
    `WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<v Ada>${AUDIO.length} bytes of lecterns\n`,
  );
  expect(stored.updatedAt.getTime()).toBeGreaterThan(updatedAt.getTime());
  expect(await findRequest(callId)).toBeNull();
  expect(await read((tx) => readSpokenText(tx, "heard"))).toBe(
    `Ada: ${AUDIO.length} bytes of lecterns`,
  );
  expect(leftoverDirs()).toEqual([]);
});

test("audio that a crashed process left behind is deleted when polling starts, but not that of a run", () => {
  const [crashed, merge, other] = ["transcribe-aB3xYz", "merge-aB3xYz", "transcribe-notes.txt"].map(
    (name) => join(env.DATA_DIR, name),
  ) as [string, string, string];
  writeFileSync(other, "");
  for (const dir of [crashed, merge]) {
    mkdirSync(dir);
    writeFileSync(join(dir, "episode.mp3"), AUDIO);
  }
  startTranscriptionPolling();
  expect([crashed, merge, other].map(existsSync)).toEqual([false, false, true]);
  mkdirSync(crashed);
  startTranscriptionPolling();
  expect(existsSync(crashed)).toBe(true);
  for (const path of [crashed, other]) rmSync(path, { recursive: true });
});

test("the command sees no secret of the site, and no shell parses its arguments", async () => {
  overrideEnv({ SESSION_SECRET: "a-secret-of-at-least-32-characters!" });
  setCommand(`env | grep -c SECRET; echo "$1"`, `'$(id);*' {file}`);
  const callId = await publishAndRequest("secret");
  await runTranscriptions();
  expect((await findTranscript(callId)).transcript).toBe("0\n$(id);*");
  overrideEnv({ SESSION_SECRET: undefined });
});

test("after a failure the command runs twice more, later, and an admin sees why", async () => {
  const counter = join(env.DATA_DIR, `runs-${randomUUID()}`);
  setCommand(`echo x >> "${counter}"; echo "no model" >&2; exit 3`);
  const callId = await publishAndRequest("failing");
  const countRuns = () => readFileSync(counter, "utf8").length / 2;
  const start = nowMs();
  await runTranscriptions();
  expect(countRuns()).toBe(1);
  for (const [afterMs, runs] of [
    [MINUTE_MS, 1],
    [3 * MINUTE_MS, 2],
    [HOUR_MS, 3],
    [100 * HOUR_MS, 3],
  ] as const) {
    setClock(start + afterMs);
    await runTranscriptions();
    expect(countRuns(), String(afterMs)).toBe(runs);
  }
  expect(await findRequest(callId)).toMatchObject({
    nextTryAt: null,
    tries: 3,
    lastError: "The command exited with code 3: no model",
  });
});

test("a command that prints nothing or does not exist has failed", async () => {
  setCommand("exit 0");
  const silent = await publishAndRequest("silent");
  await runTranscriptions();
  expect((await findRequest(silent))?.lastError).toBe("The command printed nothing.");
  overrideEnv({ TRANSCRIBE_COMMAND: "/no/such/program" });
  const missing = await publishAndRequest("missing");
  await runTranscriptions();
  expect((await findRequest(missing))?.lastError).toMatch(/code 127: .*no\/such\/program/);
});

/** Transcribes the episode as "heard in run …", and runs `work` in the meantime. */
async function transcribeDuring(work: () => Promise<unknown>): Promise<void> {
  const started = join(env.DATA_DIR, `started-${randomUUID()}`);
  const proceed = `${started}-proceed`;
  setCommand(
    `echo x >> "${started}"; while [ ! -e "${proceed}" ]; do sleep 0.05; done; echo "heard in run $(wc -l < "${started}" | tr -d ' ')"`,
  );
  const run = runTranscriptions();
  await expect.poll(() => existsSync(started), { timeout: 10_000 }).toBe(true);
  await work();
  writeFileSync(proceed, "");
  await run;
}

test("a transcript that an admin typed in the meantime stays", async () => {
  overrideEnv({ TRANSCRIBE_COMMAND: "true" });
  const callId = await publishAndRequest("typed");
  await transcribeDuring(() =>
    write((tx) => tx.episode.update({ where: { callId }, data: { transcript: "typed" } })),
  );
  expect((await findTranscript(callId)).transcript).toBe("typed");
  expect(await findRequest(callId)).toBeNull();
});

test("an episode that was republished in the meantime gets the transcript of its new audio", async () => {
  overrideEnv({ TRANSCRIBE_COMMAND: "true" });
  const callId = await publishAndRequest("again");
  await transcribeDuring(() =>
    write(async (tx) => {
      await tx.episode.delete({ where: { callId } });
      insertEpisode(tx, { callId, slug: "again", transcript: "", publishedAt: nowMs() + 1 });
      await requestTranscription(tx, callId);
    }),
  );
  expect((await findTranscript(callId)).transcript).toBe("heard in run 2");
  expect(await findRequest(callId)).toBeNull();
});

/** Returns an admin's edit of the transcript alone. */
async function prepareEdit(callId: string, transcript: string) {
  const { updatedAt, title, description, keywords } = await read((tx) =>
    tx.call.findUniqueOrThrow({ where: { id: callId } }),
  );
  const user = await write((tx) => insertUser(tx, { role: "ADMIN" }));
  const admin = { ...user, sessionKey: "key", loggedInAtMs: nowMs() };
  const texts = { title, description, keywords, note: "", transcript };
  return { callId, admin, expectedVersion: updatedAt.getTime(), ...texts };
}

test("an admin's edit from before the transcript was ready doesn't delete it", async () => {
  setCommand("echo heard");
  const callId = await publishAndRequest("edited");
  const edit = await prepareEdit(callId, "");
  await runTranscriptions();
  await expect(write((tx) => editCall(tx, edit))).rejects.toMatchObject({
    code: "conflict",
    // No admin changed it.
    message: expect.not.stringMatching(/admin/) as string,
  });
  expect((await findTranscript(callId)).transcript).toBe("heard");
});

test("once an admin has typed a transcript, a failed request is deleted", async () => {
  setCommand("exit 3");
  const callId = await publishAndRequest("given-up");
  await write((tx) => tx.transcription.update({ where: { callId }, data: { nextTryAt: null } }));
  const edit = await prepareEdit(callId, "typed");
  await write((tx) => editCall(tx, edit));
  expect(await findRequest(callId)).toBeNull();
});

test("an episode that has a transcript or was unpublished needs no run", async () => {
  const ran = join(env.DATA_DIR, `ran-${randomUUID()}`);
  setCommand(`touch "${ran}"; echo words`);
  const callId = await publishAndRequest("done", "words");
  const unpublished = await publishAndRequest("gone");
  await write((tx) => tx.episode.delete({ where: { callId: unpublished } }));
  await runTranscriptions();
  expect(existsSync(ran)).toBe(false);
  expect([await findRequest(callId), await findRequest(unpublished)]).toEqual([null, null]);
});

test("words of the command may be quoted, and the file comes last unless it is named", () => {
  expect(parseTranscribeCommand("whisper-cli -m 'a model.bin' -f {file} -np", "/x/e.mp3")).toEqual([
    "whisper-cli",
    "-m",
    "a model.bin",
    "-f",
    "/x/e.mp3",
    "-np",
  ]);
  expect(parseTranscribeCommand('"/opt/my tool"  --fast', "/x/$&.mp3")).toEqual([
    "/opt/my tool",
    "--fast",
    "/x/$&.mp3",
  ]);
});
