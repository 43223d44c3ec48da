import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { insertCall, insertUser } from "#tests/support/factories.ts";
import { explain, recordStatements } from "#tests/support/database.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import type { Member } from "#lib/members/member.ts";
import { read, write } from "#lib/db/database.ts";
import {
  countEpisodes,
  findEpisode,
  findEpisodeAudio,
  findEpisodesVersion,
  listSitemapEpisodes,
  listEpisodes,
} from "./episodes.ts";
import { episodeSlug, publishCall, findMergeSource, unpublishCall } from "./publish.ts";
import { getRecording } from "./recording.ts";
import { declineCall, editCall, saveAnswer } from "./review.ts";
import { getReviewedCall, listReviewQueue } from "./review-queue.ts";

const audio = readFileSync("tests/fixtures/audio/tone.mp3");
const voice = readFileSync("tests/fixtures/audio/tone-live.webm");
/** A file with the wrong content type, like some migrated rows. */
const base64 = `data:audio/ogg;base64,${voice.toString("base64")}`;

async function admins(): Promise<Member[]> {
  return write((tx) =>
    ["Grace", "Hedy"].map((firstName) => ({
      ...insertUser(tx, { role: "ADMIN", firstName }),
      sessionKey: "key",
      loggedInAtMs: nowMs(),
    })),
  );
}

async function insertAnsweredCall(
  admin: Member,
  fields: { title?: string; base64?: string; firstName?: string } = {},
) {
  return write(async (tx) => {
    const { firstName = "Ada", ...call } = fields;
    const user = insertUser(tx, { firstName });
    const { id } = insertCall(tx, { userId: user.id, ...call });
    const version = async () => (await getReviewedCall(tx, { admin, callId: id })).changedAt;
    await saveAnswer(tx, {
      callId: id,
      admin,
      expectedVersion: await version(),
      answer: { contentType: "audio/mpeg", durationMs: 4_000, audio },
    });
    return { callId: id, admin, expectedVersion: await version(), userId: user.id };
  });
}
async function listEmails() {
  const rows = await read((tx) =>
    tx.delivery.findMany({ orderBy: { id: "asc" }, select: { payload: true } }),
  );
  return rows.map(({ payload }) => JSON.parse(payload).mail);
}

test("publishing creates an episode and an email with first name and link", async () => {
  const [grace] = await admins();
  const { userId, ...call } = await insertAnsweredCall(grace!, {
    title: "Was für ein “Ding”?",
    base64,
  });
  const { number, slug } = await write((tx) =>
    publishCall(tx, { ...call, transcript: "Two\n\nparagraphs." }),
  );
  expect({ number, slug }).toEqual({ number: 1, slug: "1-was-fur-ein-ding" });
  const episode = await read((tx) => findEpisode(tx, slug));
  expect(episode).toMatchObject({
    number: 1,
    title: "Was für ein “Ding”?",
    callerName: "Ada",
    hasCall: true,
    transcript: "Two\n\nparagraphs.",
    answer: { contentType: "audio/mpeg", durationMs: 4_000, sizeBytes: audio.length },
    mergedAudio: null,
    previous: null,
    next: null,
  });
  const [email, ...rest] = await listEmails();
  expect(rest).toEqual([]);
  expect(email.to).toBe(`${userId}@example.test`);
  expect(JSON.stringify(email.parts)).toMatch(/your voice.*\/calls\/1-was-fur-ein-ding/);
});

test("the email about a typed question doesn't mention a voice", async () => {
  const [grace] = await admins();
  const call = await insertAnsweredCall(grace!, { base64: "" });
  await write((tx) => publishCall(tx, { ...call, transcript: "" }));
  const [email] = await listEmails();
  expect(JSON.stringify(email.parts)).toMatch(/your question as you wrote it/);
  expect(JSON.stringify(email.parts)).not.toMatch(/voice|recording/);
});

test("a Discord webhook gets the episode's title as plain text, without the caller's email address", async () => {
  overrideEnv({ DISCORD_WEBHOOK_URL: "http://127.0.0.1:9/hook" });
  try {
    const [grace] = await admins();
    const call = await insertAnsweredCall(grace!, { title: "[Who](https://evil.test) hears?" });
    await write((tx) => publishCall(tx, { ...call, transcript: "" }));
    const deliveries = await read((tx) =>
      tx.delivery.findMany({ where: { kind: "DISCORD" }, select: { payload: true } }),
    );
    expect(deliveries.map(({ payload }) => JSON.parse(payload).text)).toEqual([
      `Episode 1: \\[Who\\]\\(https\\://evil.test\\) hears?\n${env.SITE_URL}/calls/1-who-https-evil-test-hears`,
    ]);
  } finally {
    overrideEnv({ DISCORD_WEBHOOK_URL: undefined });
  }
});

test("two concurrent publishes make one episode", async () => {
  const [grace, hedy] = await admins();
  const call = await insertAnsweredCall(grace!);
  const results = await Promise.allSettled(
    [grace!, hedy!, grace!].map((admin) =>
      write((tx) => publishCall(tx, { ...call, admin, transcript: "" })),
    ),
  );
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
  for (const result of results)
    if (result.status === "rejected") expect(result.reason).toMatchObject({ code: "conflict" });
  expect(await read(countEpisodes)).toBe(1);
  expect(await listEmails()).toHaveLength(1);
});

test("publishing is atomic, and can be retried after a crash", async () => {
  const [grace] = await admins();
  const call = await insertAnsweredCall(grace!);
  await expect(
    write(async (tx) => {
      await publishCall(tx, { ...call, transcript: "" });
      throw new Error("crash");
    }),
  ).rejects.toThrow("crash");
  expect(await read(countEpisodes)).toBe(0);
  expect(await listEmails()).toEqual([]);
  await write((tx) => publishCall(tx, { ...call, transcript: "" }));
  expect(await read(countEpisodes)).toBe(1);
});

test("calls that are published concurrently get distinct numbers", async () => {
  const [grace] = await admins();
  const calls = await Promise.all([
    insertAnsweredCall(grace!),
    insertAnsweredCall(grace!),
    insertAnsweredCall(grace!),
  ]);
  await Promise.all(
    calls.map((call) => write((tx) => publishCall(tx, { ...call, transcript: "" }))),
  );
  const episodes = await read((tx) => listEpisodes(tx, { limit: 10 }));
  expect(episodes.map(({ number }) => number)).toEqual([3, 2, 1]);
});

test("unpublishing removes an episode everywhere, and it can be published again", async () => {
  const [grace] = await admins();
  const call = await insertAnsweredCall(grace!, { base64 });
  const { slug } = await write((tx) => publishCall(tx, { ...call, transcript: "" }));
  const seen = () => read((tx) => getReviewedCall(tx, { admin: grace!, callId: call.callId }));
  const published = await seen();
  await write((tx) => unpublishCall(tx, { ...call, expectedVersion: published.changedAt }));
  expect(
    await read(async (tx) => [
      await findEpisode(tx, slug),
      await findEpisodeAudio(tx, slug, "answer"),
      await findEpisodeAudio(tx, slug, "call"),
      await listEpisodes(tx, { limit: 10 }),
      await listSitemapEpisodes(tx),
    ]),
  ).toEqual([null, null, null, [], []]);
  const { changedAt, state } = await seen();
  expect(state).toBe("ANSWERED");
  expect(
    await write((tx) => publishCall(tx, { ...call, expectedVersion: changedAt, transcript: "" })),
  ).toEqual({ number: 1, slug });
});

test("the version of the episodes changes with each of them, and with nothing else", async () => {
  const [grace] = await admins();
  const call = await insertAnsweredCall(grace!);
  const versions = [await findEpisodesVersion()];
  const record = async () => versions.push(await findEpisodesVersion());
  await write((tx) => publishCall(tx, { ...call, transcript: "" }));
  await record();
  const { updatedAt } = await read((tx) =>
    getReviewedCall(tx, { admin: grace!, callId: call.callId }),
  );
  const edited = { title: "New", description: "New", keywords: "", note: "" };
  await write((tx) => editCall(tx, { ...call, ...edited, expectedVersion: updatedAt }));
  await record();
  await write((tx) => tx.user.delete({ where: { id: call.userId } }));
  await record();
  expect(new Set(versions.slice(0, 3)).size).toBe(3);
  expect(versions[3]).toBe(versions[0]);
  await write((tx) => insertUser(tx));
  await record();
  expect(versions[4]).toBe(versions[3]);
});

test("an episode is deleted with the caller's account", async () => {
  const [grace] = await admins();
  const call = await insertAnsweredCall(grace!);
  const { slug } = await write((tx) => publishCall(tx, { ...call, transcript: "" }));
  await write((tx) => tx.user.delete({ where: { id: call.userId } }));
  expect(await read((tx) => findEpisode(tx, slug))).toBeNull();
  expect(await read((tx) => findEpisodeAudio(tx, slug, "answer"))).toBeNull();
});

test("an episode has its neighbors and its audio files", async () => {
  const [grace] = await admins();
  const calls = [
    await insertAnsweredCall(grace!, { title: "One thing" }),
    await insertAnsweredCall(grace!, { title: "Another thing", base64 }),
    await insertAnsweredCall(grace!, { title: "Third thing" }),
  ];
  const mergedAudio = {
    contentType: "audio/mpeg",
    durationMs: 9_999.6,
    audio: readFileSync("tests/fixtures/audio/tone-vbr.mp3"),
  };
  for (const [i, call] of calls.entries())
    await write((tx) =>
      publishCall(tx, { ...call, transcript: "", mergedAudio: i === 1 ? mergedAudio : null }),
    );
  const episode = await read((tx) => findEpisode(tx, "2-another-thing"));
  expect(episode).toMatchObject({
    previous: { number: 1, slug: "1-one-thing" },
    next: { number: 3, title: "Third thing" },
    mergedAudio: {
      contentType: "audio/mpeg",
      durationMs: 10_000,
      sizeBytes: mergedAudio.audio.length,
    },
  });
  const audioOf = (slug: string, kind: "call" | "answer" | "episode") =>
    read((tx) => findEpisodeAudio(tx, slug, kind));
  expect(await audioOf("2-another-thing", "call")).toMatchObject({
    title: "Another thing",
    bytes: voice,
    sniffed: { contentType: "audio/webm", extension: "webm" },
  });
  expect((await audioOf("2-another-thing", "answer"))!.bytes).toEqual(audio);
  expect((await audioOf("2-another-thing", "episode"))!.bytes).toEqual(mergedAudio.audio);
  expect(await audioOf("1-one-thing", "call")).toBeNull();
  expect(await audioOf("1-one-thing", "episode")).toBeNull();
  expect(await audioOf("no-such", "answer")).toBeNull();
});

test("episode queries use indexes and don't sort", async () => {
  const [grace] = await admins();
  const call = await insertAnsweredCall(grace!);
  const { slug } = await write((tx) => publishCall(tx, { ...call, transcript: "" }));
  const statements = await recordStatements(() =>
    read(async (tx) => {
      await listEpisodes(tx, { limit: 10 });
      await listSitemapEpisodes(tx);
      await findEpisode(tx, slug);
      await findEpisodeAudio(tx, slug, "answer");
    }),
  );
  const plans = [];
  for (const statement of statements)
    if (statement.includes("FROM `main`.`Episode`"))
      plans.push((await explain(statement)).join("; "));
  expect(plans).toHaveLength(6);
  for (const plan of plans) {
    expect(plan).toMatch(/^(SCAN|SEARCH) main\.Episode USING INDEX Episode_/);
    expect(plan).not.toMatch(/TEMP B-TREE|CallReview_queue/);
  }
});

test("lists and decisions never read audio", async () => {
  const [grace] = await admins();
  const { userId: _, ...call } = await insertAnsweredCall(grace!, { base64 });
  const mergedAudio = { contentType: "audio/mpeg", durationMs: 1_000, audio };
  const statements = await recordStatements(async () => {
    const { slug } = await write((tx) => publishCall(tx, { ...call, transcript: "", mergedAudio }));
    await read(async (tx) => {
      await listEpisodes(tx, { limit: 10 });
      await listSitemapEpisodes(tx);
      await findEpisode(tx, slug);
      await listReviewQueue(tx, { admin: grace!, state: null, query: "how" });
      await listReviewQueue(tx, { admin: grace!, state: null });
      await getReviewedCall(tx, { admin: grace!, callId: call.callId });
    });
  });
  const columnsRead = statements
    .map((statement) => /\bRETURNING\b.*|^SELECT.*/.exec(statement)?.[0] ?? "")
    .join("\n")
    .replaceAll(/octet_length\(\w+\."\w+"\)/g, "");
  expect(columnsRead).toMatch(/transcript/);
  expect(columnsRead).not.toMatch(/audio[`"]|base64/i);
});

test("an audio file is in memory once", async () => {
  const [grace] = await admins();
  const call = await insertAnsweredCall(grace!, { base64 });
  const { slug } = await write((tx) => publishCall(tx, { ...call, transcript: "" }));
  for (const kind of ["call", "answer"] as const) {
    const readAudio = () => read((tx) => findEpisodeAudio(tx, slug, kind));
    const [one, other] = await Promise.all([readAudio(), readAudio()]);
    expect(other!.bytes).toBe(one!.bytes);
  }
});

test("a reused call id gets the new recording, even of the same length", async () => {
  const [grace] = await admins();
  const other = Buffer.from(voice);
  other[other.length - 1] = other[other.length - 1]! ^ 1;
  const urls = [voice, other].map((bytes) => `data:audio/webm;base64,${bytes.toString("base64")}`);
  const users = await write((tx) => [insertUser(tx), insertUser(tx)]);
  const createdAt = nowMs();
  const readAudio = async (fields: { userId: string; createdAt: number; base64: string }) => {
    await write(async (tx) => {
      await tx.call.deleteMany({ where: { id: "the-same" } });
      insertCall(tx, { id: "the-same", ...fields });
    });
    const { bytes } = await read((tx) => getRecording(tx, { id: "the-same", member: grace! }));
    return Buffer.from(bytes);
  };
  expect(
    (await readAudio({ userId: users[0]!.id, createdAt, base64: urls[0]! })).equals(voice),
  ).toBe(true);
  expect(
    (await readAudio({ userId: users[0]!.id, createdAt: createdAt + 1, base64: urls[1]! })).equals(
      other,
    ),
  ).toBe(true);
  expect(
    (await readAudio({ userId: users[1]!.id, createdAt: createdAt + 1, base64: urls[0]! })).equals(
      voice,
    ),
  ).toBe(true);
});

test("the audio of an unpublished call is not found", async () => {
  const [grace] = await admins();
  const { userId: _, ...call } = await insertAnsweredCall(grace!);
  await write((tx) => declineCall(tx, { ...call, reason: "Not for everyone." }));
  expect(await read(countEpisodes)).toBe(0);
  expect(await read((tx) => findEpisodeAudio(tx, "1", "answer"))).toBeNull();
});

test("only the version that the admin saw is merged", async () => {
  const [grace] = await admins();
  const { userId, ...call } = await insertAnsweredCall(grace!, { title: "To be merged", base64 });
  expect(await read((tx) => findMergeSource(tx, call))).toEqual({
    title: "To be merged",
    call: voice,
    answer: audio,
  });
  expect(
    await read((tx) => findMergeSource(tx, { ...call, expectedVersion: call.expectedVersion - 1 })),
  ).toBeNull();
  const member: Member = { ...grace!, id: userId, role: "MEMBER" };
  await expect(read((tx) => findMergeSource(tx, { ...call, admin: member }))).rejects.toMatchObject(
    { code: "forbidden" },
  );
  const typed = await insertAnsweredCall(grace!);
  expect(await read((tx) => findMergeSource(tx, typed))).toMatchObject({ call: null });
});

test("a slug contains the letters of the title", () => {
  expect(episodeSlug(3, "  It’s “time” — isn't it? ")).toBe("3-its-time-isnt-it");
  expect(episodeSlug(4, "日本語")).toBe("4");
  expect(episodeSlug(5, "Crème brûlée & C++")).toBe("5-creme-brulee-c");
  expect(episodeSlug(6, `${"a".repeat(59)} b`)).toBe(`6-${"a".repeat(59)}`);
});
