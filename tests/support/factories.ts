// Rows for tests and for the seed: each call makes a new one, every field can be set.

import { randomUUID } from "node:crypto";
import { nowMs } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/connection.ts";

export interface UserRow {
  id: string;
  createdAt: number;
  updatedAt: number;
  email: string;
  firstName: string;
  role: string;
  team: string;
}

export function insertUser(sql: Sql, given: Partial<UserRow> = {}): UserRow {
  const id = given.id ?? randomUUID();
  const now = nowMs();
  const row: UserRow = {
    id,
    createdAt: now,
    updatedAt: now,
    email: `${id}@example.test`,
    firstName: "Ada",
    role: "MEMBER",
    team: "RED",
    ...given,
  };
  sql.run(
    `INSERT INTO "User" ("id", "createdAt", "updatedAt", "email", "firstName", "role", "team") VALUES (?, ?, ?, ?, ?, ?, ?)`,
    row.id,
    row.createdAt,
    row.updatedAt,
    row.email,
    row.firstName,
    row.role,
    row.team,
  );
  return row;
}

export interface ReadRow {
  id: string;
  createdAt: number;
  userId: string | null;
  clientId: string | null;
  postSlug: string;
}

export function insertRead(sql: Sql, given: Partial<ReadRow> = {}): ReadRow {
  const row: ReadRow = {
    id: randomUUID(),
    createdAt: nowMs(),
    userId: null,
    clientId: given.userId ? null : randomUUID(),
    postSlug: "a-post",
    ...given,
  };
  sql.run(
    `INSERT INTO "PostRead" ("id", "createdAt", "userId", "clientId", "postSlug") VALUES (?, ?, ?, ?, ?)`,
    row.id,
    row.createdAt,
    row.userId,
    row.clientId,
    row.postSlug,
  );
  return row;
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

/** A call and, by the database's trigger, its review (NEW). */
export function insertCall(sql: Sql, given: Partial<CallRow> & { userId: string }): CallRow {
  const now = nowMs();
  const row: CallRow = {
    id: randomUUID(),
    createdAt: now,
    updatedAt: now,
    title: "How do you name things?",
    description: "Every file of ours is called helper. What would you do?",
    keywords: "names, files",
    base64: "",
    ...given,
  };
  sql.run(
    `INSERT INTO "Call" ("id", "createdAt", "updatedAt", "title", "description", "keywords", "userId", "base64") VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    row.id,
    row.createdAt,
    row.updatedAt,
    row.title,
    row.description,
    row.keywords,
    row.userId,
    row.base64,
  );
  return row;
}
