// Records what members agree to: the newsletter, and being announced on Discord. Nothing is sent
// without it.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import type { Tx } from "#lib/db/database.ts";
import { escapeDiscordMarkdown } from "#lib/outbound/outbox/discord-markdown.ts";
import { enqueueDelivery, isDeliveryConfigured } from "#lib/outbound/outbox/outbox.ts";
import { teamName } from "#lib/reading/team-profile.ts";
import type { Team } from "#lib/reading/team.ts";
import { newsletterChannel } from "./newsletter-channel.ts";
import { findSubscriber, subscribe, unsubscribe } from "./subscribers.ts";

export const PURPOSES = ["NEWSLETTER", "DISCORD"] as const;
export type Purpose = (typeof PURPOSES)[number];

/** Returns the purposes that this site has a receiver for; it asks for no others. */
export const offeredPurposes = (): Purpose[] => PURPOSES.filter(isOffered);

const isOffered = (purpose: Purpose): boolean =>
  purpose === "NEWSLETTER" ? newsletterChannel() !== null : isDeliveryConfigured(purpose);

/** Returns what the member has agreed to. */
export async function listConsents(
  tx: Tx,
  { id: userId, email }: { id: string; email: string },
): Promise<Set<Purpose>> {
  const consents = new Set<Purpose>();
  if (await findSubscriber(tx, email)) consents.add("NEWSLETTER");
  if (await tx.consent.findUnique({ where: { userId_purpose: { userId, purpose: "DISCORD" } } }))
    consents.add("DISCORD");
  return consents;
}

interface ConsentingMember {
  readonly id: string;
  readonly email: string;
  readonly firstName: string;
  readonly team: Team;
}

/** Returns what the functions below need. Throws AppError(not_found) if the account was deleted. */
export async function getConsentingMember(tx: Tx, userId: string): Promise<ConsentingMember> {
  const user = await tx.user.findUnique({
    where: { id: userId },
    select: { id: true, email: true, firstName: true, team: true },
  });
  if (!user) throw new AppError("not_found", "This account has been deleted.");
  return user;
}

const ABOUT_ANNOUNCEMENT = "Discord message about a new member";

/**
 * Records that the member agrees, and enqueues what follows from it: call triggerDeliveries() after
 * the commit. Does nothing if they agreed before, or if the site has no receiver for it.
 */
export async function grantConsent(
  tx: Tx,
  { id: userId, email, firstName, team }: ConsentingMember,
  purpose: Purpose,
): Promise<void> {
  if (!isOffered(purpose)) return;
  // Their login has proved the address.
  if (purpose === "NEWSLETTER") return subscribe(tx, { email, firstName, userId });
  if ((await listConsents(tx, { id: userId, email })).has(purpose)) return;
  await tx.consent.create({
    data: { userId, purpose, grantedAt: new Date(nowMs()) },
    select: { userId: true },
  });
  const name = escapeDiscordMarkdown(firstName);
  const where = siteConfig.features.teams
    ? ` the ${escapeDiscordMarkdown(teamName(team))} team`
    : "";
  await enqueueDelivery(
    tx,
    { kind: "DISCORD", text: `${name} joined${where}.` },
    { userId, about: ABOUT_ANNOUNCEMENT },
  );
}

/**
 * Records that the member no longer agrees, and deletes pending messages for it. For the
 * newsletter, see unsubscribe().
 */
export async function withdrawConsent(
  tx: Tx,
  { id: userId, email }: { id: string; email: string },
  purpose: Purpose,
): Promise<void> {
  if (purpose === "NEWSLETTER") return unsubscribe(tx, email);
  await tx.consent.deleteMany({ where: { userId, purpose } });
  // Those about the member's calls need no consent.
  await tx.delivery.deleteMany({ where: { userId, about: ABOUT_ANNOUNCEMENT } });
}
