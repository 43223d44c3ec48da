// Inserts rows for tests and for the seed. Each call makes a new row, and every field can be set.

import { createHash, randomUUID } from "node:crypto";
import { nowMs } from "#lib/core/clock.ts";
import type { Role, Team } from "#lib/db/column-values.ts";
import type { Tx } from "#lib/db/database.ts";
import { type Sql, type SqlValue, sqlOf } from "#lib/db/sql.ts";

export const PART_BYTES = 524_288;

export const sha256 = (bytes: string | Uint8Array): string =>
  createHash("sha256").update(bytes).digest("hex");

/** Inserts and returns `row`, whose keys are columns of `table`. */
function insertRow<Row extends object>(tx: Tx | Sql, table: string, row: Row): Row {
  const columns = Object.keys(row);
  sqlOf(tx).run(
    `INSERT INTO "${table}" ("${columns.join('", "')}") VALUES (${columns.map(() => "?").join(", ")})`,
    ...(Object.values(row) as SqlValue[]),
  );
  return row;
}

export interface UserRow {
  id: string;
  createdAt: number;
  updatedAt: number;
  email: string;
  firstName: string;
  role: Role;
  team: Team;
}

/** Accepts any role and team, so that tests can check what the database refuses. */
type UserFields = Partial<Omit<UserRow, "role" | "team">> & { role?: string; team?: string };

export function insertUser(tx: Tx | Sql, fields: UserFields = {}): UserRow {
  const id = fields.id ?? randomUUID();
  const now = nowMs();
  return insertRow(tx, "User", {
    id,
    createdAt: now,
    updatedAt: now,
    email: `${id}@example.test`,
    firstName: "Ada",
    role: "MEMBER",
    team: "RED",
    ...fields,
  } as UserRow);
}

export interface ReadRow {
  id: string;
  createdAt: number;
  userId: string | null;
  clientId: string | null;
  postSlug: string;
}

/** Inserts a read, by an anonymous reader unless `userId` is set. */
export function insertRead(tx: Tx | Sql, fields: Partial<ReadRow> = {}): ReadRow {
  return insertRow(tx, "PostRead", {
    id: randomUUID(),
    createdAt: nowMs(),
    userId: null,
    clientId: fields.userId ? null : randomUUID(),
    postSlug: "a-post",
    ...fields,
  });
}

export interface CallRow {
  id: string;
  createdAt: number;
  updatedAt: number;
  title: string;
  description: string;
  keywords: string;
  userId: string;
  /** A data: URL; empty for a typed question. */
  base64: string;
}

/** Inserts a call. A database trigger adds its review (NEW). */
export function insertCall(tx: Tx | Sql, fields: Partial<CallRow> & { userId: string }): CallRow {
  const now = nowMs();
  return insertRow(tx, "Call", {
    id: randomUUID(),
    createdAt: now,
    updatedAt: now,
    title: "How do you name things?",
    description: "All our files are called helper. What would you do?",
    keywords: "names, files",
    base64: "",
    ...fields,
  });
}

export interface AnswerRow {
  callId: string;
  createdAt: number;
  contentType: string;
  durationMs: number;
  audio: Uint8Array;
}

export function insertAnswer(
  tx: Tx | Sql,
  fields: Partial<AnswerRow> & Pick<AnswerRow, "callId" | "audio">,
): AnswerRow {
  return insertRow(tx, "CallAnswer", {
    createdAt: nowMs(),
    contentType: "audio/wav",
    durationMs: 1_000,
    ...fields,
  });
}

export interface EpisodeRow {
  callId: string;
  number: number;
  slug: string;
  publishedAt: number;
  updatedAt: number;
  title: string;
  description: string;
  keywords: string;
  callerName: string;
  transcript: string;
}

/** Inserts the episode of a call, with the next free number. */
export function insertEpisode(
  tx: Tx | Sql,
  fields: Partial<EpisodeRow> & { callId: string },
): EpisodeRow {
  const now = nowMs();
  const { number } = sqlOf(tx).get<{ number: number }>(
    `SELECT COALESCE(MAX("number"), 0) + 1 AS "number" FROM "Episode"`,
  )!;
  return insertRow(tx, "Episode", {
    number,
    slug: `an-episode-${number}`,
    publishedAt: now,
    updatedAt: now,
    title: "A question about lecterns",
    description: "What is a lectern?",
    keywords: "lecterns, wood",
    callerName: "Ada",
    transcript: "",
    ...fields,
  });
}

/**
 * Inserts the upload of `bytes`, with all of its parts unless `isComplete` is false. Returns its
 * id.
 */
export function insertUpload(
  tx: Tx | Sql,
  { userId, bytes, isComplete = true }: { userId: string; bytes: Uint8Array; isComplete?: boolean },
): string {
  const { id } = insertRow(tx, "Upload", {
    id: randomUUID(),
    userId,
    createdAt: nowMs(),
    size: bytes.length,
    sha256: sha256(bytes),
  });
  for (let offset = 0; isComplete && offset < bytes.length; offset += PART_BYTES)
    insertRow(tx, "UploadPart", {
      uploadId: id,
      number: offset / PART_BYTES,
      bytes: bytes.subarray(offset, offset + PART_BYTES),
    });
  return id;
}

export interface PasskeyRow {
  id: string;
  userId: string;
  publicKey: Uint8Array;
  counter: number;
  transports: string;
  name: string;
  createdAt: number;
}

export function insertPasskey(
  tx: Tx | Sql,
  fields: Partial<PasskeyRow> & Pick<PasskeyRow, "id" | "userId" | "publicKey">,
): PasskeyRow {
  return insertRow(tx, "Passkey", {
    counter: 0,
    transports: "internal",
    name: "A key",
    createdAt: nowMs(),
    ...fields,
  });
}
