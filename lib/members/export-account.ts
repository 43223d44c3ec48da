// Exports all of a member's data as a stream of JSON chunks. Each chunk is read in a short
// transaction, because a long one keeps the WAL from being checkpointed. At most one call is in
// memory.

import { type Tx, read } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { AppError } from "#lib/core/errors.ts";
import { nowMs } from "#lib/core/clock.ts";
import { formatRegion } from "#lib/core/fly-regions.ts";

const READS_PER_CHUNK = 1_000;
/** Base64 characters of a recording per chunk; a multiple of four. */
const AUDIO_CHARS_PER_CHUNK = 262_144;

const toIsoDate = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

interface UserRow {
  id: string;
  createdAt: number;
  updatedAt: number;
  email: string;
  firstName: string;
  role: string;
  team: string;
  discordId: string | null;
  convertKitId: string | null;
}

/**
 * Returns everything except reads and calls. Excludes keys and hashes, so that an export can't be
 * used to log in.
 */
function readAccount(tx: Tx, userId: string) {
  const user = sqlOf(tx).get<UserRow>(
    `SELECT "id", "createdAt", "updatedAt", "email", "firstName", "role", "team", "discordId", "convertKitId" FROM "User" WHERE "id" = ?`,
    userId,
  );
  if (!user) throw new AppError("not_found", "This account has been deleted.");
  const sessions = sqlOf(tx).all<{
    device: string | null;
    place: string | null;
    createdAt: number;
    expirationDate: number;
    lastSeenAt: number | null;
  }>(
    `SELECT "device", "place", "createdAt", "expirationDate", "lastSeenAt" FROM "Session" LEFT JOIN "SessionInfo" ON "sessionId" = "id" WHERE "userId" = ? ORDER BY "createdAt"`,
    userId,
  );
  const passkeys = sqlOf(tx).all<{ name: string; createdAt: number; lastUsedAt: number | null }>(
    `SELECT "name", "createdAt", "lastUsedAt" FROM "Passkey" WHERE "userId" = ? ORDER BY "createdAt"`,
    userId,
  );
  const uploads = sqlOf(tx).all<{ createdAt: number; size: number }>(
    `SELECT "createdAt", "size" FROM "Upload" WHERE "userId" = ? AND "callId" IS NULL ORDER BY "createdAt"`,
    userId,
  );
  const messages = sqlOf(tx).all<{ createdAt: number; kind: string; about: string }>(
    `SELECT "createdAt", "kind", "about" FROM "Delivery" WHERE "userId" = ? ORDER BY "id"`,
    userId,
  );
  const changes = sqlOf(tx).all<{ createdAt: number; action: string }>(
    `SELECT "createdAt", "action" FROM "AuditEvent" WHERE "subjectId" = ? ORDER BY "id"`,
    userId,
  );
  return {
    user: { ...user, createdAt: toIsoDate(user.createdAt), updatedAt: toIsoDate(user.updatedAt) },
    sessions: sessions.map(({ place, createdAt, expirationDate, lastSeenAt, device }) => ({
      device,
      place: formatRegion(place),
      startedAt: toIsoDate(createdAt),
      lastSeenAt: toIsoDate(lastSeenAt),
      expiresAt: toIsoDate(expirationDate),
    })),
    passkeys: passkeys.map(({ name, createdAt, lastUsedAt }) => ({
      name,
      addedAt: toIsoDate(createdAt),
      lastUsedAt: toIsoDate(lastUsedAt),
    })),
    unfinishedUploads: uploads.map(({ createdAt, size }) => ({
      startedAt: toIsoDate(createdAt),
      bytes: size,
    })),
    queuedMessages: messages.map(({ createdAt, kind, about }) => ({
      kind,
      about,
      since: toIsoDate(createdAt),
    })),
    changesByAdmins: changes.map(({ createdAt, action }) => ({ action, at: toIsoDate(createdAt) })),
  };
}

interface ReadRow {
  id: string;
  postSlug: string;
  createdAt: number;
}

async function* streamReads(userId: string): AsyncGenerator<string> {
  let cursor: ReadRow = { id: "", postSlug: "", createdAt: 0 };
  for (let isFirst = true; ; isFirst = false) {
    const rows = await read((tx) =>
      sqlOf(tx).all<ReadRow>(
        `SELECT "id", "postSlug", "createdAt" FROM "PostRead" WHERE "userId" = ? AND ("postSlug", "createdAt", "id") > (?, ?, ?) ORDER BY "postSlug", "createdAt", "id" LIMIT ${READS_PER_CHUNK}`,
        userId,
        cursor.postSlug,
        cursor.createdAt,
        cursor.id,
      ),
    );
    const last = rows.at(-1);
    if (!last) return;
    yield (
      (isFirst ? "" : ",") +
      rows
        .map(({ postSlug, createdAt }) =>
          JSON.stringify({ post: postSlug, readAt: toIsoDate(createdAt) }),
        )
        .join(",")
    );
    cursor = last;
  }
}

interface CallRow {
  id: string;
  createdAt: number;
  updatedAt: number;
  title: string;
  description: string;
  keywords: string;
  base64: string;
  uploadId: string | null;
  contentType: string | null;
  state: string | null;
  durationMs: number | null;
  declineReason: string | null;
}

interface EpisodeRow {
  number: number;
  slug: string;
  publishedAt: number;
  updatedAt: number;
  title: string;
  description: string;
  keywords: string;
  callerName: string;
  transcript: string;
  contentType: string | null;
  durationMs: number | null;
  audio: Uint8Array | null;
}

/**
 * Returns a call with its recording, and its episode with the answer; null if it was deleted.
 * Excludes admins' notes and unpublished answers.
 */
function readCall(tx: Tx, id: string, userId: string) {
  const row = sqlOf(tx).get<CallRow>(
    `SELECT c."id", c."createdAt", c."updatedAt", c."title", c."description", c."keywords", c."base64", u."id" AS "uploadId", u."contentType", r."state", r."durationMs", r."declineReason"
     FROM "Call" c LEFT JOIN "CallReview" r ON r."callId" = c."id" LEFT JOIN "Upload" u ON u."callId" = c."id" AND u."contentType" IS NOT NULL WHERE c."id" = ? AND c."userId" = ?`,
    id,
    userId,
  );
  if (!row) return null;
  const episode = sqlOf(tx).get<EpisodeRow>(
    `SELECT e."number", e."slug", e."publishedAt", e."updatedAt", e."title", e."description", e."keywords", e."callerName", e."transcript", a."contentType", a."durationMs", a."audio"
     FROM "Episode" e LEFT JOIN "CallAnswer" a ON a."callId" = e."callId" WHERE e."callId" = ?`,
    id,
  );
  const parts = row.uploadId
    ? sqlOf(tx).all<{ bytes: Uint8Array }>(
        `SELECT "bytes" FROM "UploadPart" WHERE "uploadId" = ? ORDER BY "number"`,
        row.uploadId,
      )
    : [];
  return { row, recording: Buffer.concat(parts.map(({ bytes }) => bytes)), episode };
}

/** Yields the JSON of a call in chunks. */
async function* streamCall({
  row,
  recording,
  episode,
}: NonNullable<ReturnType<typeof readCall>>): AsyncGenerator<string> {
  const { base64, uploadId, contentType, createdAt, updatedAt, ...rest } = row;
  yield `${openJsonObject({ ...rest, createdAt: toIsoDate(createdAt), updatedAt: toIsoDate(updatedAt) })},"audio":`;
  if (uploadId && contentType) yield* streamDataUrl(contentType, recording);
  else if (base64) {
    yield `"`;
    // JSON.stringify() escapes a split surrogate pair as two halves, which a parser joins again.
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
  contentType,
  durationMs,
  audio,
  publishedAt,
  updatedAt,
  ...episode
}: EpisodeRow): AsyncGenerator<string> {
  yield `${openJsonObject({ ...episode, publishedAt: toIsoDate(publishedAt), updatedAt: toIsoDate(updatedAt) })},"answer":`;
  if (audio && contentType) {
    yield `${openJsonObject({ durationMs })},"audio":`;
    yield* streamDataUrl(contentType, audio);
    yield "}";
  } else yield "null";
  yield "}";
}

/** Returns the JSON of an object without its closing brace. */
const openJsonObject = (object: object) => JSON.stringify(object).slice(0, -1);

async function* streamCalls(userId: string): AsyncGenerator<string> {
  const ids = await read((tx) =>
    sqlOf(tx).all<{ id: string }>(
      `SELECT "id" FROM "Call" WHERE "userId" = ? ORDER BY "createdAt", "id"`,
      userId,
    ),
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
  yield openJsonObject({ exportedAt: toIsoDate(nowMs()), ...head });
  yield `,"reads":[`;
  yield* streamReads(userId);
  yield `],"calls":[`;
  yield* streamCalls(userId);
  yield "]}\n";
}
