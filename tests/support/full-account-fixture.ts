// Inserts a member with a row in every table that can have one, for tests of the export and the
// deletion.

import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import type { Sql } from "#lib/db/connection.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { startCeremony } from "#lib/members/webauthn-challenge.ts";
import { addPasskey } from "#lib/members/passkeys.ts";
import { createSession } from "#lib/members/sessions.ts";
import { insertAnswer, insertCall, insertEpisode, insertRead, insertUser } from "./factories.ts";

export const RECORDING = `data:audio/webm;base64,${Buffer.from("the caller's voice").toString("base64")}`;
export const SECRETS = { key: "the public key of a passkey", answer: "the answer of an admin" };

/**
 * Inserts the member and their rows. `tag` is part of every text. Returns as `secrets` login
 * tokens, and ids that no export needs.
 */
export function insertFullAccount(
  sql: Sql,
  tag: string,
  fields: { role?: string; team?: string } = {},
) {
  const now = nowMs();
  const user = insertUser(sql, { firstName: tag, email: `${tag}@Example.test`, ...fields });
  const session = createSession(sql, user.id, { device: `${tag}'s browser`, place: "fra" });
  sql.run(
    `INSERT INTO "LoginChallenge" ("tokenHash", "browserHash", "codeHash", "email", "createdAt", "expiresAt") VALUES (?, ?, ?, ?, ?, ?)`,
    `${tag} token`,
    `${tag} browser`,
    `${tag} code`,
    user.email.toLowerCase(),
    now,
    now + DAY_MS,
  );
  sql.run(
    `INSERT INTO "PendingSignup" ("browserHash", "email", "expiresAt") VALUES (?, ?, ?)`,
    `${tag} browser`,
    user.email,
    now + DAY_MS,
  );
  const { token } = createDeviceLink(sql, user.id);
  addPasskey(sql, {
    id: `${tag}-credential`,
    userId: user.id,
    publicKey: Buffer.from(SECRETS.key),
    counter: 0,
    transports: "",
    name: `${tag}'s key`,
  });
  const { browserId } = startCeremony(sql, user.id);
  sql.run(
    `INSERT INTO "Delivery" ("createdAt", "kind", "userId", "about", "payload") VALUES (?, 'MAIL', ?, ?, '{"to":"somebody"}')`,
    now,
    user.id,
    `An email about ${tag}`,
  );
  for (const postSlug of [`${tag}-post`, "shared-post"])
    insertRead(sql, { userId: user.id, clientId: null, postSlug });
  const published = insertCall(sql, {
    userId: user.id,
    title: `${tag} asks aloud`,
    base64: RECORDING,
  });
  const typed = insertCall(sql, { userId: user.id, title: `${tag} asks in writing` });
  for (const { id } of [published, typed]) {
    sql.run(
      `UPDATE "CallReview" SET "reviewerId" = 'the admin', "note" = 'a note among admins', "declineReason" = 'Asked before.' WHERE "callId" = ?`,
      id,
    );
    insertAnswer(sql, {
      callId: id,
      contentType: "audio/webm",
      audio: Buffer.from(SECRETS.answer),
    });
  }
  insertEpisode(sql, {
    callId: published.id,
    slug: `${tag}-episode`,
    title: `${tag}'s episode`,
    description: "About it",
    keywords: "words",
    callerName: tag,
    transcript: "A transcript",
  });
  sql.run(
    `INSERT INTO "Upload" ("id", "userId", "createdAt", "size", "sha256") VALUES (?, ?, ?, 10, 'a hash of bytes')`,
    `${tag} upload`,
    user.id,
    now,
  );
  sql.run(
    `INSERT INTO "UploadPart" ("uploadId", "number", "bytes") VALUES (?, 0, ?)`,
    `${tag} upload`,
    Buffer.from("0123456789"),
  );
  return { ...user, secrets: [session.id, token, browserId, `${tag}-credential`] };
}
