// Exports all of a member's data as a stream of JSON chunks. Each chunk is read in a short
// transaction, because a long one keeps the WAL from being checkpointed. At most one call is in
// memory.

import { type Prisma, type Tx, read } from "#lib/db/database.ts";
import { AppError } from "#lib/core/errors.ts";
import { nowMs } from "#lib/core/clock.ts";
import { formatRegion } from "#lib/core/fly-regions.ts";
import { findSubscriber } from "./subscribers.ts";

const READS_PER_CHUNK = 1_000;
/** Base64 characters of a recording per chunk; a multiple of four. */
const AUDIO_CHARS_PER_CHUNK = 262_144;

// JSON.stringify() writes a Date as ISO 8601 in UTC.
const ACCOUNT_SELECT = {
  id: true,
  createdAt: true,
  updatedAt: true,
  email: true,
  firstName: true,
  role: true,
  team: true,
  discordId: true,
  convertKitId: true,
  sessions: {
    select: {
      createdAt: true,
      expirationDate: true,
      info: { select: { device: true, place: true, startedAt: true, lastSeenAt: true } },
    },
    orderBy: { createdAt: "asc" },
  },
  passkeys: {
    select: { name: true, createdAt: true, lastUsedAt: true },
    orderBy: { createdAt: "asc" },
  },
  uploads: {
    where: { callId: null },
    select: { createdAt: true, size: true },
    orderBy: { createdAt: "asc" },
  },
  consents: {
    // The subscription is the consent to the newsletter.
    where: { purpose: "DISCORD" },
    select: { purpose: true, grantedAt: true },
  },
  deliveries: { select: { createdAt: true, kind: true, about: true }, orderBy: { id: "asc" } },
  savedPosts: { select: { postSlug: true, savedAt: true }, orderBy: { savedAt: "asc" } },
  readingPlaces: {
    select: { postSlug: true, heading: true, updatedAt: true },
    orderBy: { updatedAt: "asc" },
  },
} as const satisfies Prisma.UserSelect;

/**
 * Returns everything except reads and calls. Excludes keys and hashes, so that an export can't be
 * used to log in.
 */
async function readAccount(tx: Tx, userId: string) {
  const account = await tx.user.findUnique({ where: { id: userId }, select: ACCOUNT_SELECT });
  if (!account) throw new AppError("not_found", "This account has been deleted.");
  const { sessions, passkeys, uploads, consents, deliveries, ...rest } = account;
  const { savedPosts, readingPlaces, ...user } = rest;
  const subscriber = await findSubscriber(tx, user.email);
  const changes = await tx.auditEvent.findMany({
    where: { subjectId: userId },
    select: { action: true, createdAt: true },
    orderBy: { id: "asc" },
  });
  return {
    user,
    sessions: sessions.map(({ createdAt, expirationDate, info }) => ({
      device: info?.device ?? null,
      place: formatRegion(info?.place ?? null),
      startedAt: info?.startedAt ?? createdAt,
      lastSeenAt: info?.lastSeenAt ?? null,
      expiresAt: expirationDate,
    })),
    passkeys: passkeys.map(({ name, createdAt, lastUsedAt }) => ({
      name,
      addedAt: createdAt,
      lastUsedAt,
    })),
    unfinishedUploads: uploads.map(({ createdAt, size }) => ({
      startedAt: createdAt,
      bytes: size,
    })),
    consents,
    savedPosts: savedPosts.map(({ postSlug, savedAt }) => ({ post: postSlug, savedAt })),
    unfinishedPosts: readingPlaces.map(({ postSlug, heading, updatedAt }) => ({
      post: postSlug,
      section: heading,
      updatedAt,
    })),
    newsletter: subscriber && {
      subscribedAt: subscriber.subscribedAt,
      topics: subscriber.topics,
      kitId: subscriber.kitId,
    },
    queuedMessages: deliveries.map(({ kind, about, createdAt }) => ({
      kind,
      about,
      since: createdAt,
    })),
    changesByAdmins: changes.map(({ action, createdAt }) => ({ action, at: createdAt })),
  };
}

interface ReadsCursor {
  readonly id: string;
  readonly postSlug: string;
  readonly createdAt: Date;
}

/** Returns the next READS_PER_CHUNK reads by post, time and id. Scans one index range. */
async function readReadsAfter(tx: Tx, userId: string, { id, postSlug, createdAt }: ReadsCursor) {
  // Prisma's `cursor` finds nothing if its row was deleted in the meantime.
  return tx.postRead.findMany({
    where: {
      userId,
      postSlug: { gte: postSlug },
      OR: [
        { postSlug: { gt: postSlug } },
        { createdAt: { gt: createdAt } },
        { createdAt, id: { gt: id } },
      ],
    },
    select: { id: true, postSlug: true, createdAt: true },
    orderBy: [{ postSlug: "asc" }, { createdAt: "asc" }, { id: "asc" }],
    take: READS_PER_CHUNK,
  });
}

async function* streamReads(userId: string): AsyncGenerator<string> {
  let cursor: ReadsCursor = { id: "", postSlug: "", createdAt: new Date(0) };
  for (let isFirst = true; ; isFirst = false) {
    const rows = await read((tx) => readReadsAfter(tx, userId, cursor));
    const last = rows.at(-1);
    if (!last) return;
    yield (
      (isFirst ? "" : ",") +
      rows
        .map(({ postSlug, createdAt }) => JSON.stringify({ post: postSlug, readAt: createdAt }))
        .join(",")
    );
    cursor = last;
  }
}

const EPISODE_SELECT = {
  number: true,
  slug: true,
  publishedAt: true,
  updatedAt: true,
  title: true,
  description: true,
  keywords: true,
  callerName: true,
  transcript: true,
  // Selected through the episode, so that an unpublished answer is not even loaded.
  call: {
    select: { answer: { select: { contentType: true, durationMs: true, audio: true } } },
  },
} as const satisfies Prisma.EpisodeSelect;

const CALL_SELECT = {
  id: true,
  createdAt: true,
  updatedAt: true,
  title: true,
  description: true,
  keywords: true,
  base64: true,
  review: { select: { state: true, durationMs: true, declineReason: true } },
  episode: { select: EPISODE_SELECT },
} as const satisfies Prisma.CallSelect;

/**
 * Returns a call with its recording, and its episode with the answer; null if it was deleted.
 * Excludes admins' notes and unpublished answers.
 */
async function readCall(tx: Tx, id: string, userId: string) {
  const call = await tx.call.findUnique({ where: { id, userId }, select: CALL_SELECT });
  if (!call) return null;
  const upload = await tx.upload.findFirst({
    where: { callId: id, contentType: { not: null } },
    select: {
      contentType: true,
      parts: { select: { bytes: true }, orderBy: { number: "asc" } },
    },
  });
  return {
    ...call,
    contentType: upload?.contentType,
    recording: Buffer.concat((upload?.parts ?? []).map(({ bytes }) => bytes)),
  };
}

/** Yields the JSON of a call in chunks. */
async function* streamCall({
  base64,
  contentType,
  recording,
  review,
  episode,
  ...rest
}: NonNullable<Awaited<ReturnType<typeof readCall>>>): AsyncGenerator<string> {
  yield `${openJsonObject({ ...rest, ...review })},"audio":`;
  if (contentType) yield* streamDataUrl(contentType, recording);
  else if (base64) {
    yield `"`;
    // JSON.stringify() escapes the two halves of a split surrogate pair; a parser joins them again.
    for (let start = 0; start < base64.length; start += AUDIO_CHARS_PER_CHUNK)
      yield JSON.stringify(base64.slice(start, start + AUDIO_CHARS_PER_CHUNK)).slice(1, -1);
    yield `"`;
  } else yield "null";
  yield `,"episode":`;
  if (episode) yield* streamEpisode(episode);
  else yield "null";
  yield "}";
}

/** Yields `bytes` in chunks as a double-quoted data URL. */
function* streamDataUrl(contentType: string, bytes: Uint8Array): Generator<string> {
  yield JSON.stringify(`data:${contentType};base64,`).slice(0, -1);
  const pieceBytes = (AUDIO_CHARS_PER_CHUNK / 4) * 3;
  for (let start = 0; start < bytes.length; start += pieceBytes)
    yield Buffer.from(
      bytes.buffer,
      bytes.byteOffset + start,
      Math.min(pieceBytes, bytes.length - start),
    ).toString("base64");
  yield `"`;
}

async function* streamEpisode({
  call: { answer },
  ...episode
}: Prisma.EpisodeGetPayload<{ select: typeof EPISODE_SELECT }>): AsyncGenerator<string> {
  yield `${openJsonObject(episode)},"answer":`;
  if (answer) {
    yield `${openJsonObject({ durationMs: answer.durationMs })},"audio":`;
    yield* streamDataUrl(answer.contentType, answer.audio);
    yield "}";
  } else yield "null";
  yield "}";
}

/** Returns the JSON of an object without its closing brace. */
const openJsonObject = (object: object) => JSON.stringify(object).slice(0, -1);

async function* streamCalls(userId: string): AsyncGenerator<string> {
  const ids = await read((tx) =>
    tx.call.findMany({
      where: { userId },
      select: { id: true },
      orderBy: [{ createdAt: "asc" }, { id: "asc" }],
    }),
  );
  let isFirst = true;
  for (const { id } of ids) {
    const call = await read((tx) => readCall(tx, id, userId));
    if (!call) continue; // deleted in the meantime
    if (!isFirst) yield ",";
    yield* streamCall(call);
    isFirst = false;
  }
}

/**
 * Yields the member's data as one JSON document: `{exportedAt, user, sessions, passkeys, …, reads,
 * calls}`, with ISO 8601 times and recordings as data URLs. A chunk is at most a few hundred kB.
 * Throws AppError(not_found) before the first chunk.
 */
export async function* exportAccount(userId: string): AsyncGenerator<string> {
  const head = await read((tx) => readAccount(tx, userId));
  yield openJsonObject({ exportedAt: new Date(nowMs()), ...head });
  yield `,"reads":[`;
  yield* streamReads(userId);
  yield `],"calls":[`;
  yield* streamCalls(userId);
  yield "]}\n";
}
