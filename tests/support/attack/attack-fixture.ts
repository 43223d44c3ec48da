// Who and what there is to attack: a member who owns one of everything, a neighbour who owns the same, an admin, and sounds.

import { createHash, randomBytes, randomUUID } from "node:crypto";
import type Database from "better-sqlite3";
import { sealData } from "iron-session";
import { insertUser } from "#tests/support/factories.ts";
import { createSql } from "#lib/db/connection.ts";
import { SECRET } from "#tests/support/e2e/site-under-test.ts";

const YEAR_MS = 365 * 86_400_000;
export const PART_BYTES = 524_288;

export const sha256 = (bytes: string | Uint8Array) =>
  createHash("sha256").update(bytes).digest("hex");

/** A WAV file of `seconds` at 8 kHz: 8,000 bytes a second. No two are alike. */
export function makeWav(seconds = 1, rate = 8_000): Buffer {
  const data = Buffer.alloc(Math.round(seconds * rate), 128);
  randomBytes(16).copy(data);
  const head = Buffer.alloc(44);
  head.write("RIFF", 0);
  head.writeUInt32LE(36 + data.length, 4);
  head.write("WAVEfmt ", 8);
  head.writeUInt32LE(16, 16);
  head.writeUInt16LE(1, 20); // PCM
  head.writeUInt16LE(1, 22); // one channel
  head.writeUInt32LE(rate, 24);
  head.writeUInt32LE(rate, 28);
  head.writeUInt16LE(1, 32);
  head.writeUInt16LE(8, 34);
  head.write("data", 36);
  head.writeUInt32LE(data.length, 40);
  return Buffer.concat([head, data]);
}

export interface SessionOptions {
  /** How long ago they logged in. */
  readonly ageMs?: number;
  readonly expiresInMs?: number;
  readonly secret?: string;
  readonly id?: string;
}

export const sealPayload = (payload: object, secret = SECRET, ttlSeconds = YEAR_MS / 1000) =>
  sealData(payload, { password: secret, ttl: ttlSeconds });
export const sessionCookieHeader = (sealed: string) => `__Host-session=${sealed}`;

/** A session of the member as the site makes it. Returns the Cookie header and the row's key. */
export async function insertSession(
  db: Database.Database,
  userId: string,
  {
    ageMs = 0,
    expiresInMs = YEAR_MS,
    secret = SECRET,
    id = randomBytes(32).toString("base64url"),
  }: SessionOptions = {},
): Promise<{ cookie: string; key: string }> {
  const key = sha256(id);
  const now = Date.now();
  db.prepare(
    `INSERT INTO "Session" ("id", "createdAt", "userId", "expirationDate") VALUES (?, ?, ?, ?)`,
  ).run(key, now - ageMs, userId, now + expiresInMs);
  db.prepare(
    `INSERT INTO "SessionInfo" ("sessionId", "device", "place", "lastSeenAt") VALUES (?, 'Firefox on Linux', NULL, ?)`,
  ).run(key, now);
  return { cookie: sessionCookieHeader(await sealPayload({ id, sealedAtMs: now }, secret)), key };
}

export const CALL_STATES = ["NEW", "REVIEWING", "ANSWERED", "PUBLISHED", "DECLINED"] as const;
export type CallState = (typeof CALL_STATES)[number];

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly firstName: string;
  readonly cookie: string;
  readonly sessionKey: string;
  /** Of a log-in twenty minutes ago. */
  readonly cookieOfOlderLogin: string;
  /** Another session of theirs. */
  readonly otherSessionKey: string;
  readonly passkeyId: string;
  /** A call in each state. */
  readonly calls: Readonly<Record<CallState, string>>;
  /** Of the published one. */
  readonly episodeSlug: string;
  /** A call that was typed. */
  readonly typedCallId: string;
  /** Complete and right. */
  readonly uploadId: string;
  /** Announced, and no part has come. */
  readonly emptyUploadId: string;
  readonly emptyUpload: { readonly size: number; readonly sha256: string; readonly bytes: Buffer };
  /** Given up. */
  readonly deliveryId: number;
}

export function insertCall(
  db: Database.Database,
  userId: string,
  {
    state = "NEW" as CallState,
    title = "A question about lecterns",
    description = "What is a lectern, and why do people stand behind one?",
    keywords = "lecterns, wood",
    audio = makeWav() as Buffer | null,
  } = {},
): string {
  const id = randomUUID();
  const now = Date.now();
  db.prepare(
    `INSERT INTO "Call" ("id", "createdAt", "updatedAt", "title", "description", "keywords", "userId", "base64") VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    id,
    now,
    now,
    title,
    description,
    keywords,
    userId,
    audio ? `data:audio/wav;base64,${audio.toString("base64")}` : "",
  );
  db.prepare(
    `UPDATE "CallReview" SET "state" = ?, "durationMs" = ?, "declineReason" = ? WHERE "callId" = ?`,
  ).run(state, audio ? 1_000 : null, state === "DECLINED" ? "It was answered before." : "", id);
  if (state === "ANSWERED" || state === "PUBLISHED")
    db.prepare(
      `INSERT INTO "CallAnswer" ("callId", "createdAt", "contentType", "durationMs", "audio") VALUES (?, ?, 'audio/wav', 1000, ?)`,
    ).run(id, now, makeWav());
  return id;
}

export function insertEpisode(
  db: Database.Database,
  callId: string,
  given: {
    title?: string;
    description?: string;
    keywords?: string;
    callerName?: string;
    transcript?: string;
  } = {},
): string {
  const number =
    1 + (db.prepare(`SELECT COALESCE(MAX("number"), 0) FROM "Episode"`).pluck().get() as number);
  const slug = `an-episode-${number}`;
  const {
    title = "A question about lecterns",
    description = "What is a lectern?",
    keywords = "lecterns, wood",
    callerName = "Ada",
    transcript = "",
  } = given;
  db.prepare(
    `INSERT INTO "Episode" ("callId", "number", "slug", "publishedAt", "updatedAt", "title", "description", "keywords", "callerName", "transcript") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  ).run(
    callId,
    number,
    slug,
    Date.now(),
    Date.now(),
    title,
    description,
    keywords,
    callerName,
    transcript,
  );
  return slug;
}

export function insertUpload(
  db: Database.Database,
  userId: string,
  bytes: Buffer,
  isComplete = true,
): string {
  const id = randomUUID();
  db.prepare(
    `INSERT INTO "Upload" ("id", "userId", "createdAt", "size", "sha256") VALUES (?, ?, ?, ?, ?)`,
  ).run(id, userId, Date.now(), bytes.length, sha256(bytes));
  for (let at = 0; isComplete && at < bytes.length; at += PART_BYTES)
    db.prepare(`INSERT INTO "UploadPart" ("uploadId", "number", "bytes") VALUES (?, ?, ?)`).run(
      id,
      at / PART_BYTES,
      bytes.subarray(at, at + PART_BYTES),
    );
  return id;
}

export async function insertAccount(
  db: Database.Database,
  given: { role?: string; firstName?: string; team?: string } = {},
): Promise<Account> {
  const user = insertUser(createSql(db), given);
  const session = await insertSession(db, user.id);
  const old = await insertSession(db, user.id, { ageMs: 20 * 60_000 });
  const other = await insertSession(db, user.id);
  const passkeyId = randomBytes(24).toString("base64url");
  db.prepare(
    `INSERT INTO "Passkey" ("id", "userId", "publicKey", "counter", "transports", "name", "createdAt") VALUES (?, ?, ?, 0, 'internal', 'My key', ?)`,
  ).run(passkeyId, user.id, randomBytes(77), Date.now());
  const calls = Object.fromEntries(
    CALL_STATES.map((state) => [state, insertCall(db, user.id, { state })]),
  ) as Record<CallState, string>;
  const bytes = makeWav();
  const { lastInsertRowid } = db
    .prepare(
      `INSERT INTO "Delivery" ("createdAt", "kind", "userId", "about", "payload", "tries", "nextTryAt", "lastError") VALUES (?, 'MAIL', ?, 'call published', ?, 7, NULL, 'The server said no.')`,
    )
    .run(
      Date.now(),
      user.id,
      JSON.stringify({
        kind: "MAIL",
        mail: { to: user.email, subject: "News", parts: ["Something happened."] },
      }),
    );
  return {
    id: user.id,
    email: user.email,
    firstName: user.firstName,
    cookie: session.cookie,
    sessionKey: session.key,
    cookieOfOlderLogin: old.cookie,
    otherSessionKey: other.key,
    passkeyId,
    calls,
    episodeSlug: insertEpisode(db, calls.PUBLISHED),
    typedCallId: insertCall(db, user.id, { audio: null }),
    uploadId: insertUpload(db, user.id, makeWav()),
    emptyUploadId: insertUpload(db, user.id, bytes, false),
    emptyUpload: { size: bytes.length, sha256: sha256(bytes), bytes },
    deliveryId: Number(lastInsertRowid),
  };
}

export interface AttackFixture {
  /** Who owns what an action is about. */
  readonly owner: Account;
  /** A member like them, whose business it is not. */
  readonly neighbour: Account;
  readonly admin: Account;
}

export async function insertAttackFixture(db: Database.Database): Promise<AttackFixture> {
  return {
    owner: await insertAccount(db, { firstName: "Ada" }),
    neighbour: await insertAccount(db, { firstName: "Ben", team: "BLUE" }),
    admin: await insertAccount(db, { firstName: "Cleo", role: "ADMIN" }),
  };
}
