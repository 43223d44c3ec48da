// Inserts the targets of attacks: a member who owns one of everything, a neighbor who owns the
// same, and an admin.

import { randomBytes } from "node:crypto";
import type Database from "better-sqlite3";
import { sealData } from "iron-session";
import { makeToneWav } from "#tests/support/audio.ts";
import { SECRET } from "#tests/support/e2e/site-under-test.ts";
import {
  type CallRow,
  insertAnswer,
  insertCall,
  insertEpisode,
  insertPasskey,
  insertUpload,
  insertUser,
  sha256,
} from "#tests/support/factories.ts";
import { DAY_MS, MINUTE_MS } from "#lib/core/clock.ts";
import { createSql } from "#lib/db/connection.ts";

const YEAR_MS = 365 * DAY_MS;

/** Returns a unique WAV with 8,000 bytes per second. */
export function makeWav(seconds = 1): Buffer {
  const wav = Buffer.from(makeToneWav({ seconds }));
  randomBytes(16).copy(wav, 44);
  return wav;
}

export interface SessionOptions {
  /** Time since the login. */
  readonly ageMs?: number;
  readonly expiresInMs?: number;
  readonly secret?: string;
  readonly id?: string;
}

export const sealPayload = (payload: object, secret = SECRET, ttlSeconds = YEAR_MS / 1000) =>
  sealData(payload, { password: secret, ttl: ttlSeconds });
export const sessionCookieHeader = (sealed: string) => `__Host-session=${sealed}`;

/** Inserts a session like the site does. Returns its Cookie header and the row's key. */
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
  /** The cookie of a login 20 minutes ago. */
  readonly cookieOfOlderLogin: string;
  readonly otherSessionKey: string;
  readonly passkeyId: string;
  /** One call in each state. */
  readonly calls: Readonly<Record<CallState, string>>;
  /** The episode of the published call. */
  readonly episodeSlug: string;
  readonly typedCallId: string;
  /** A complete upload. */
  readonly uploadId: string;
  /** A created upload without parts. */
  readonly emptyUploadId: string;
  readonly emptyUpload: { readonly size: number; readonly sha256: string; readonly bytes: Buffer };
  /** A delivery that is no longer retried. */
  readonly deliveryId: number;
}

/** Inserts a call in `state`, with its answer if the state has one. Returns its id. */
export function insertReviewedCall(
  db: Database.Database,
  {
    state = "NEW",
    audio = makeWav(),
    ...fields
  }: Partial<CallRow> & { userId: string; state?: CallState; audio?: Buffer | null },
): string {
  const sql = createSql(db);
  const { id } = insertCall(sql, {
    title: "A question about lecterns",
    description: "What is a lectern, and why do people stand behind one?",
    keywords: "lecterns, wood",
    base64: audio ? `data:audio/wav;base64,${audio.toString("base64")}` : "",
    ...fields,
  });
  sql.run(
    `UPDATE "CallReview" SET "state" = ?, "durationMs" = ?, "declineReason" = ? WHERE "callId" = ?`,
    state,
    audio ? 1_000 : null,
    state === "DECLINED" ? "It was answered before." : "",
    id,
  );
  if (state === "ANSWERED" || state === "PUBLISHED")
    insertAnswer(sql, { callId: id, audio: makeWav() });
  return id;
}

/** Inserts a delivery that failed seven times and is no longer retried. Returns its id. */
function insertAbandonedDelivery(
  db: Database.Database,
  { id, email }: { id: string; email: string },
): number {
  const { lastInsertRowid } = db
    .prepare(
      `INSERT INTO "Delivery" ("createdAt", "kind", "userId", "about", "payload", "tries", "nextTryAt", "lastError") VALUES (?, 'MAIL', ?, 'call published', ?, 7, NULL, 'The server said no.')`,
    )
    .run(
      Date.now(),
      id,
      JSON.stringify({
        kind: "MAIL",
        mail: { to: email, subject: "News", parts: ["Something happened."] },
      }),
    );
  return Number(lastInsertRowid);
}

export async function insertAccount(
  db: Database.Database,
  fields: { role?: string; firstName?: string; team?: string } = {},
): Promise<Account> {
  const sql = createSql(db);
  const user = insertUser(sql, fields);
  const userId = user.id;
  const session = await insertSession(db, userId);
  const olderSession = await insertSession(db, userId, { ageMs: 20 * MINUTE_MS });
  const otherSession = await insertSession(db, userId);
  const passkey = insertPasskey(sql, {
    id: randomBytes(24).toString("base64url"),
    userId,
    publicKey: randomBytes(77),
    name: "My key",
  });
  const calls = Object.fromEntries(
    CALL_STATES.map((state) => [state, insertReviewedCall(db, { userId, state })]),
  ) as Record<CallState, string>;
  const bytes = makeWav();
  return {
    id: userId,
    email: user.email,
    firstName: user.firstName,
    cookie: session.cookie,
    sessionKey: session.key,
    cookieOfOlderLogin: olderSession.cookie,
    otherSessionKey: otherSession.key,
    passkeyId: passkey.id,
    calls,
    episodeSlug: insertEpisode(sql, { callId: calls.PUBLISHED, transcript: "Words." }).slug,
    typedCallId: insertReviewedCall(db, { userId, audio: null }),
    uploadId: insertUpload(sql, { userId, bytes: makeWav() }),
    emptyUploadId: insertUpload(sql, { userId, bytes, isComplete: false }),
    emptyUpload: { size: bytes.length, sha256: sha256(bytes), bytes },
    deliveryId: insertAbandonedDelivery(db, user),
  };
}

export interface AttackFixture {
  /** The member who owns the objects of an action. */
  readonly owner: Account;
  /** A member who owns the same kinds of objects, without access to the owner's. */
  readonly neighbor: Account;
  readonly admin: Account;
}

export async function insertAttackFixture(db: Database.Database): Promise<AttackFixture> {
  return {
    owner: await insertAccount(db, { firstName: "Ada" }),
    neighbor: await insertAccount(db, { firstName: "Ben", team: "BLUE" }),
    admin: await insertAccount(db, { firstName: "Cleo", role: "ADMIN" }),
  };
}
