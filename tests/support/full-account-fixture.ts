// Inserts a member with a row in every table that can have one, for tests of the export and the
// deletion.

import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import type { Tx } from "#lib/db/database.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { consumeCeremonyChallenge, startCeremony } from "#lib/members/webauthn-challenge.ts";
import { addPasskey } from "#lib/members/passkeys.ts";
import { createSession } from "#lib/members/sessions.ts";
import { insertAnswer, insertCall, insertEpisode, insertRead, insertUser } from "./factories.ts";

export const RECORDING = `data:audio/webm;base64,${Buffer.from("the caller's voice").toString("base64")}`;
export const SECRETS = { key: "the public key of a passkey", answer: "the answer of an admin" };

/**
 * Inserts the member and their rows. `tag` is part of every text. The returned `secrets` are login
 * tokens, and IDs that an export must not contain.
 */
export async function insertFullAccount(
  tx: Tx,
  tag: string,
  fields: { role?: string; team?: string } = {},
) {
  const user = insertUser(tx, { firstName: tag, email: `${tag}@Example.test`, ...fields });
  const session = await createSession(tx, user.id, { device: `${tag}'s browser`, place: "fra" });
  const createdAt = new Date(nowMs());
  const expiresAt = new Date(nowMs() + DAY_MS);
  await tx.loginChallenge.create({
    data: {
      tokenHash: `${tag} token`,
      browserHash: `${tag} browser`,
      codeHash: `${tag} code`,
      email: user.email.toLowerCase(),
      createdAt,
      expiresAt,
    },
  });
  await tx.pendingSignup.create({
    data: { browserHash: `${tag} browser`, email: user.email, expiresAt },
  });
  const { token } = await createDeviceLink(tx, user.id);
  await addPasskey(tx, {
    id: `${tag}-credential`,
    userId: user.id,
    publicKey: Buffer.from(SECRETS.key),
    counter: 0,
    transports: "",
    name: `${tag}'s key`,
  });
  const { cookie } = startCeremony(user.id);
  await consumeCeremonyChallenge(tx, { cookie, userId: user.id });
  await tx.delivery.create({
    data: {
      createdAt,
      kind: "MAIL",
      userId: user.id,
      about: `An email about ${tag}`,
      payload: '{"to":"somebody"}',
    },
  });
  await tx.consent.create({
    data: { userId: user.id, purpose: "NEWSLETTER", grantedAt: createdAt },
  });
  const userId = user.id;
  await tx.savedPost.create({ data: { userId, postSlug: `${tag}-saved`, savedAt: createdAt } });
  await tx.readingPlace.create({
    data: { userId, postSlug: `${tag}-started`, heading: `${tag}-section`, updatedAt: createdAt },
  });
  for (const postSlug of [`${tag}-post`, "shared-post"])
    insertRead(tx, { userId: user.id, clientId: null, postSlug });
  const published = insertCall(tx, {
    userId: user.id,
    title: `${tag} asks aloud`,
    base64: RECORDING,
  });
  const typed = insertCall(tx, { userId: user.id, title: `${tag} asks in writing` });
  for (const { id } of [published, typed]) {
    await tx.callReview.update({
      where: { callId: id },
      data: {
        reviewerId: "the admin",
        note: "a note among admins",
        declineReason: "Asked before.",
      },
    });
    insertAnswer(tx, {
      callId: id,
      contentType: "audio/webm",
      audio: Buffer.from(SECRETS.answer),
    });
  }
  insertEpisode(tx, {
    callId: published.id,
    slug: `${tag}-episode`,
    title: `${tag}'s episode`,
    description: "About it",
    keywords: "words",
    callerName: tag,
    transcript: "A transcript",
  });
  await tx.transcription.create({ data: { callId: published.id, requestedAt: createdAt } });
  await tx.upload.create({
    data: {
      id: `${tag} upload`,
      userId: user.id,
      createdAt,
      size: 10,
      sha256: "a hash of bytes",
      parts: { create: { number: 0, bytes: Buffer.from("0123456789") } },
    },
  });
  return { ...user, secrets: [session.id, token, cookie, `${tag}-credential`] };
}
