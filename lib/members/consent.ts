// Records what members agree to: the newsletter, and being announced on Discord. Nothing is sent
// without it.

import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import type { Tx } from "#lib/db/database.ts";
import { enqueueDelivery, isDeliveryConfigured } from "#lib/outbound/outbox/outbox.ts";
import { teamName } from "#lib/reading/team-profile.ts";
import type { Team } from "#lib/reading/team.ts";

export const PURPOSES = ["NEWSLETTER", "DISCORD"] as const;
export type Purpose = (typeof PURPOSES)[number];

/** Returns the purposes that this site has a receiver for; it asks for no others. */
export const offeredPurposes = (): Purpose[] => PURPOSES.filter(isDeliveryConfigured);

/** Returns what the member has agreed to. */
export async function listConsents(tx: Tx, userId: string): Promise<Set<Purpose>> {
  const rows = await tx.consent.findMany({ where: { userId }, select: { purpose: true } });
  return new Set(PURPOSES.filter((purpose) => rows.some((row) => row.purpose === purpose)));
}

interface ConsentingMember {
  readonly id: string;
  readonly email: string;
  readonly firstName: string;
  readonly team: Team;
}

/** Returns what grantConsent() needs. Throws AppError(not_found) if the account was deleted. */
export async function getConsentingMember(tx: Tx, userId: string): Promise<ConsentingMember> {
  const user = await tx.user.findUnique({
    where: { id: userId },
    select: { id: true, email: true, firstName: true, team: true },
  });
  if (!user) throw new AppError("not_found", "This account has been deleted.");
  return user;
}

/** Escapes Discord's markup (*this*, [that](…)), so that a name is shown as is. */
const escapeDiscordMarkdown = (name: string) => name.replace(/[\\`*_~|<>[\]()#@:]/g, "\\$&");

/**
 * Records that the member agrees, and enqueues what follows from it: call triggerDeliveries() after
 * the commit. Does nothing if they agreed before, or if the site has no receiver for it.
 */
export async function grantConsent(
  tx: Tx,
  { id: userId, email, firstName, team }: ConsentingMember,
  purpose: Purpose,
): Promise<void> {
  if (!isDeliveryConfigured(purpose) || (await listConsents(tx, userId)).has(purpose)) return;
  await tx.consent.create({
    data: { userId, purpose, grantedAt: new Date(nowMs()) },
    select: { userId: true },
  });
  if (purpose === "DISCORD") {
    const name = escapeDiscordMarkdown(firstName);
    const where = siteConfig.features.teams
      ? ` the ${escapeDiscordMarkdown(teamName(team))} team`
      : "";
    await enqueueDelivery(
      tx,
      { kind: "DISCORD", text: `${name} joined${where}.` },
      { userId, about: "Discord message about a new member" },
    );
    return;
  }
  await enqueueDelivery(
    tx,
    { kind: "NEWSLETTER", email, firstName },
    { userId, about: "Newsletter subscription" },
  );
  await enqueueDelivery(
    tx,
    { kind: "MAIL", mail: buildSubscribedEmail(userId, email) },
    { userId, about: "Subscription confirmation" },
  );
}

/**
 * Records that the member no longer agrees, deletes pending messages for it, and enqueues the
 * removal from the newsletter. Also removes a member who was on the list before.
 */
export async function withdrawConsent(tx: Tx, userId: string, purpose: Purpose): Promise<void> {
  await tx.consent.deleteMany({ where: { userId, purpose } });
  await tx.delivery.deleteMany({ where: { userId, kind: purpose } });
  if (purpose === "NEWSLETTER") await leaveNewsletter(tx, userId);
}

/** Returns whether the member is on the newsletter's list, or agreed to be. */
export async function isUnsubscribable(tx: Tx, userId: string): Promise<boolean> {
  const user = await tx.user.findUnique({
    where: { id: userId },
    select: { convertKitId: true, consents: { where: { purpose: "NEWSLETTER" } } },
  });
  return user !== null && (Boolean(user.convertKitId) || user.consents.length > 0);
}

/** Enqueues the member's removal from the newsletter's list, if they are on it. */
export async function leaveNewsletter(tx: Tx, userId: string): Promise<void> {
  const user = await tx.user.findUnique({
    where: { id: userId },
    select: { convertKitId: true },
  });
  if (!user?.convertKitId || !isDeliveryConfigured("NEWSLETTER")) return;
  // Not linked to the member, so that it is sent even if they delete their account.
  await enqueueDelivery(
    tx,
    { kind: "NEWSLETTER", unsubscribeId: user.convertKitId },
    { userId: null, about: "Newsletter cancellation" },
  );
  await tx.user.updateMany({
    where: { id: userId },
    data: { convertKitId: null, updatedAt: new Date(nowMs()) },
  });
}

const LABEL = "lectern unsubscribe v1";

/** Returns the token for the member's unsubscribe links. */
export const signUnsubscribeToken = (userId: string): string =>
  `${userId}.${signText(LABEL, userId)}`;

/** Returns the member whose link has this token, or null. A token does not expire (RFC 8058). */
export function verifyUnsubscribeToken(token: string): string | null {
  const dot = token.lastIndexOf(".");
  if (token.length > 200 || dot <= 0) return null;
  const userId = token.slice(0, dot);
  return isValidSignature(LABEL, userId, token.slice(dot + 1)) ? userId : null;
}

function buildSubscribedEmail(userId: string, email: string) {
  const query = `token=${encodeURIComponent(signUnsubscribeToken(userId))}`;
  return {
    to: email,
    subject: `You’re subscribed to ${siteConfig.name}`,
    parts: [
      `You’ll get new posts from ${siteConfig.name} by email.`,
      { link: `${env.SITE_URL}/unsubscribe?${query}`, label: "Unsubscribe" },
    ],
    unsubscribeUrl: `${env.SITE_URL}/unsubscribe/one-click?${query}`,
  };
}
