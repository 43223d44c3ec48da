// All data of a member, as JSON in pieces: each piece is read in a short snapshot of its own, so that no long one keeps
// the WAL from shrinking, and one call at a time is in memory, its recordings encoded only as far as they are taken.

import type { Sql } from "#lib/db/connection.ts";
import { readSql } from "#lib/db/database.ts";
import { AppError } from "#lib/core/errors.ts";
import { nowMs } from "#lib/core/clock.ts";
import { formatRegion } from "./sessions.ts";

const READS_PER_CHUNK = 1_000;
/** Characters of a recording in one piece. Four stand for three bytes. */
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

/** Everything small: who they are, where they are logged in, what is on its way. No key, no hash, nothing that logs anybody in. */
function readAccount(sql: Sql, userId: string) {
  const user = sql.get<UserRow>(
    `SELECT "id", "createdAt", "updatedAt", "email", "firstName", "role", "team", "discordId", "convertKitId" FROM "User" WHERE "id" = ?`,
    userId,
  );
  if (!user) throw new AppError("not_found", "This account is gone.");
  const sessions = sql.all<{
    device: string | null;
    place: string | null;
    createdAt: number;
    expirationDate: number;
    lastSeenAt: number | null;
  }>(
    `SELECT "device", "place", "createdAt", "expirationDate", "lastSeenAt" FROM "Session" LEFT JOIN "SessionInfo" ON "sessionId" = "id" WHERE "userId" = ? ORDER BY "createdAt"`,
    userId,
  );
  const passkeys = sql.all<{ name: string; createdAt: number; lastUsedAt: number | null }>(
    `SELECT "name", "createdAt", "lastUsedAt" FROM "Passkey" WHERE "userId" = ? ORDER BY "createdAt"`,
    userId,
  );
  const uploads = sql.all<{ createdAt: number; size: number }>(
    `SELECT "createdAt", "size" FROM "Upload" WHERE "userId" = ? AND "callId" IS NULL ORDER BY "createdAt"`,
    userId,
  );
  const messages = sql.all<{ createdAt: number; kind: string; about: string }>(
    `SELECT "createdAt", "kind", "about" FROM "Delivery" WHERE "userId" = ? ORDER BY "id"`,
    userId,
  );
  const changes = sql.all<{ createdAt: number; action: string }>(
    `SELECT "createdAt", "action" FROM "AuditEvent" WHERE "subjectId" = ? ORDER BY "id"`,
    userId,
  );
  return {
    user: { ...user, createdAt: toIsoDate(user.createdAt), updatedAt: toIsoDate(user.updatedAt) },
    sessions: sessions.map(({ place, createdAt, expirationDate, lastSeenAt, device }) => ({
      device,
      place: formatRegion(place),
      begunAt: toIsoDate(createdAt),
      lastSeenAt: toIsoDate(lastSeenAt),
      expiresAt: toIsoDate(expirationDate),
    })),
    passkeys: passkeys.map(({ name, createdAt, lastUsedAt }) => ({
      name,
      addedAt: toIsoDate(createdAt),
      lastUsedAt: toIsoDate(lastUsedAt),
    })),
    unfinishedUploads: uploads.map(({ createdAt, size }) => ({
      begunAt: toIsoDate(createdAt),
      bytes: size,
    })),
    messagesOnTheirWay: messages.map(({ createdAt, kind, about }) => ({
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
  let after: ReadRow = { id: "", postSlug: "", createdAt: 0 };
  for (let isFirst = true; ; isFirst = false) {
    const rows = await readSql((sql) =>
      sql.all<ReadRow>(
        `SELECT "id", "postSlug", "createdAt" FROM "PostRead" WHERE "userId" = ? AND ("postSlug", "createdAt", "id") > (?, ?, ?) ORDER BY "postSlug", "createdAt", "id" LIMIT ${READS_PER_CHUNK}`,
        userId,
        after.postSlug,
        after.createdAt,
        after.id,
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
    after = last;
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

/** One call with its recording, and its episode with the answer. The admins' notes and an answer that is not published are theirs, not the caller's. */
function readCall(sql: Sql, id: string, userId: string) {
  const row = sql.get<CallRow>(
    `SELECT c."id", c."createdAt", c."updatedAt", c."title", c."description", c."keywords", c."base64", r."state", r."durationMs", r."declineReason"
     FROM "Call" c LEFT JOIN "CallReview" r ON r."callId" = c."id" WHERE c."id" = ? AND c."userId" = ?`,
    id,
    userId,
  );
  if (!row) return null;
  const episode = sql.get<EpisodeRow>(
    `SELECT e."number", e."slug", e."publishedAt", e."updatedAt", e."title", e."description", e."keywords", e."callerName", e."transcript", a."contentType", a."durationMs", a."audio"
     FROM "Episode" e LEFT JOIN "CallAnswer" a ON a."callId" = e."callId" WHERE e."callId" = ?`,
    id,
  );
  return { row, episode };
}

/** A call as an object whose text is that of JSON.stringify, in pieces. */
async function* streamCall({
  row,
  episode,
}: NonNullable<ReturnType<typeof readCall>>): AsyncGenerator<string> {
  const { base64, createdAt, updatedAt, ...rest } = row;
  yield `${openJsonObject({ ...rest, createdAt: toIsoDate(createdAt), updatedAt: toIsoDate(updatedAt) })},"audio":`;
  if (base64) {
    yield `"`;
    // A character that is cut in two is written as two escapes, which are one again when they are read.
    for (let at = 0; at < base64.length; at += AUDIO_CHARS_PER_CHUNK)
      yield JSON.stringify(base64.slice(at, at + AUDIO_CHARS_PER_CHUNK)).slice(1, -1);
    yield `"`;
  } else yield "null";
  yield `,"episode":`;
  if (episode) yield* streamEpisode(episode);
  else yield "null";
  yield "}";
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
    yield `${openJsonObject({ durationMs })},"audio":${JSON.stringify(`data:${contentType};base64,`).slice(0, -1)}`;
    const bytes = (AUDIO_CHARS_PER_CHUNK / 4) * 3;
    for (let at = 0; at < audio.length; at += bytes)
      yield Buffer.from(
        audio.buffer,
        audio.byteOffset + at,
        Math.min(bytes, audio.length - at),
      ).toString("base64");
    yield `"}`;
  } else yield "null";
  yield "}";
}

/** The JSON of an object to which more is added. */
const openJsonObject = (object: object) => JSON.stringify(object).slice(0, -1);

async function* streamCalls(userId: string): AsyncGenerator<string> {
  const ids = await readSql((sql) =>
    sql.all<{ id: string }>(
      `SELECT "id" FROM "Call" WHERE "userId" = ? ORDER BY "createdAt", "id"`,
      userId,
    ),
  );
  let isFirst = true;
  for (const { id } of ids) {
    const one = await readSql((sql) => readCall(sql, id, userId));
    if (!one) continue; // deleted meanwhile
    if (!isFirst) yield ",";
    yield* streamCall(one);
    isFirst = false;
  }
}

/**
 * The member's data as pieces of one JSON document: `{exportedAt, user, sessions, passkeys, …, reads, calls}`, moments as ISO 8601,
 * recordings as data URLs; no piece is longer than some hundred kilobytes. The first piece throws AppError(not_found) when the account is gone.
 */
export async function* exportAccount(userId: string): AsyncGenerator<string> {
  const head = await readSql((sql) => readAccount(sql, userId));
  yield openJsonObject({ exportedAt: toIsoDate(nowMs()), ...head });
  yield `,"reads":[`;
  yield* streamReads(userId);
  yield `],"calls":[`;
  yield* streamCalls(userId);
  yield "]}\n";
}
