// Stores who gets the newsletter, with or without an account. A subscriber's row is their consent.

import { randomUUID } from "node:crypto";
import { z } from "zod";
import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { signText } from "#lib/core/signature.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import type { Prisma, Tx } from "#lib/db/database.ts";
import type { EmailMessage } from "#lib/outbound/mail/email-message.ts";
import { enqueueDelivery, isDeliveryConfigured } from "#lib/outbound/outbox/outbox.ts";
import { deleteSubscriptionDeliveries, findUsersByEmail, listEmailForms } from "./email.sql.ts";
import { newsletterChannel } from "./newsletter-channel.ts";
import {
  signConfirmationToken,
  signUnsubscribeToken,
  type verifyUnsubscribeToken,
} from "./subscription-token.ts";

export interface Subscriber {
  readonly id: string;
  readonly email: string;
  /** Empty for all posts. */
  readonly topics: readonly string[];
  readonly subscribedAt: Date;
  /** Kit's ID; null unless Kit sends the newsletter. */
  readonly kitId: string | null;
}

const ID_LABEL = "lectern subscriber id v1";
const topicList = z.array(z.string());
const COLUMNS = { id: true, email: true, topics: true, subscribedAt: true, kitId: true } as const;

const toSubscriber = (
  row: Prisma.SubscriberGetPayload<{ select: typeof COLUMNS }>,
): Subscriber => ({ ...row, topics: topicList.parse(JSON.parse(row.topics)) });

/** Addresses are stored in lowercase, as forms submit them. Migrated members may have capitals. */
const normalizeEmail = (email: string) => email.toLowerCase();

/** Returns the subscriber with this address, or null. */
export async function findSubscriber(tx: Tx, email: string): Promise<Subscriber | null> {
  const row = await tx.subscriber.findFirst({
    where: { email: { in: listEmailForms(normalizeEmail(email)) } },
    select: COLUMNS,
  });
  return row && toSubscriber(row);
}

/** Returns true if a member is on Kit's list, with or without consent, and Kit is configured. */
export const isOnKitList = ({ convertKitId }: { convertKitId: string | null }): boolean =>
  Boolean(convertKitId) && isDeliveryConfigured("NEWSLETTER");

/** Returns the address that a verified token unsubscribes, or null if it is not subscribed. */
export async function findTokenEmail(
  tx: Tx,
  key: NonNullable<ReturnType<typeof verifyUnsubscribeToken>>,
): Promise<string | null> {
  if ("subscriberId" in key)
    return (
      (
        await tx.subscriber.findUnique({
          where: { id: key.subscriberId },
          select: { email: true },
        })
      )?.email ?? null
    );
  const user = await tx.user.findUnique({
    where: { id: key.userId },
    select: { email: true, convertKitId: true },
  });
  if (!user) return null;
  return isOnKitList(user) || (await findSubscriber(tx, user.email)) ? user.email : null;
}

/**
 * Returns an ID derived from the address, so that the links in earlier emails work after
 * subscribing again; a random ID if another subscriber has that one. Without the session secret, the
 * ID does not reveal the address.
 */
async function createSubscriberId(tx: Tx, email: string): Promise<string> {
  const id = signText(ID_LABEL, listEmailForms(email)[1]);
  return (await tx.subscriber.count({ where: { id } })) === 0 ? id : randomUUID();
}

interface Subscription {
  /** Its owner has confirmed it. */
  readonly email: string;
  readonly topics?: readonly string[] | undefined;
  /** Of a member. */
  readonly firstName?: string;
  readonly userId?: string;
}

/**
 * Adds a confirmed address, or changes its topics, and enqueues what follows from it: call
 * triggerDeliveries() after the commit. Does nothing if the site has no newsletter.
 */
export async function subscribe(
  tx: Tx,
  { email: typed, topics, firstName, userId }: Subscription,
): Promise<void> {
  const channel = newsletterChannel();
  if (!channel) return;
  const email = normalizeEmail(typed);
  const existing = await findSubscriber(tx, email);
  if (existing) return topics && changeTopics(tx, existing.id, topics);
  const id = await createSubscriberId(tx, email);
  await tx.subscriber.create({
    data: {
      id,
      email,
      topics: JSON.stringify(topics ?? []),
      subscribedAt: new Date(nowMs()),
    },
    select: { id: true },
  });
  // Resending these would deliver issues from before this consent.
  await tx.newsletterDelivery.deleteMany({
    where: { subscriberId: id, state: { in: ["FAILED", "UNCERTAIN"] } },
  });
  if (channel === "kit")
    await enqueueDelivery(
      tx,
      { kind: "NEWSLETTER", email, firstName },
      { userId: userId ?? null, about: "Newsletter subscription" },
    );
  await enqueueDelivery(
    tx,
    { kind: "MAIL", mail: buildSubscribedEmail(id, email) },
    { userId: userId ?? null, about: "Subscription confirmation" },
  );
}

/** Changes which posts a subscriber gets; no topics mean all posts. */
export async function changeTopics(
  tx: Tx,
  subscriberId: string,
  topics: readonly string[],
): Promise<void> {
  await tx.subscriber.updateMany({
    where: { id: subscriberId },
    data: { topics: JSON.stringify(topics) },
  });
}

/**
 * Removes an address from the newsletter, deletes pending messages about the subscription, and
 * enqueues its removal from Kit: call triggerDeliveries() after the commit. Issues that are being
 * sent skip it.
 */
export async function unsubscribe(tx: Tx, typed: string): Promise<void> {
  const email = normalizeEmail(typed);
  const rows = await tx.subscriber.findMany({
    where: { email: { in: listEmailForms(email) } },
    select: { id: true, kitId: true },
  });
  const members = await tx.user.findMany({
    where: { id: { in: findUsersByEmail(tx, email).map(({ id }) => id) } },
    select: { id: true, convertKitId: true },
  });
  const userIds = members.map(({ id }) => id);
  deleteSubscriptionDeliveries(tx, email);
  const ids = rows.map(({ id }) => id);
  await tx.newsletterDelivery.deleteMany({
    where: { subscriberId: { in: ids }, state: "PENDING" },
  });
  await tx.subscriber.deleteMany({ where: { id: { in: ids } } });
  const kitIds = [
    ...rows.map(({ kitId }) => kitId),
    ...members.map(({ convertKitId }) => convertKitId),
  ];
  if (!isDeliveryConfigured("NEWSLETTER")) return;
  for (const unsubscribeId of new Set(kitIds.filter((id) => id != null && id !== "")))
    // Not linked to the member, so that it is sent even if they delete their account.
    await enqueueDelivery(
      tx,
      { kind: "NEWSLETTER", unsubscribeId: unsubscribeId as string },
      { userId: null, about: "Newsletter cancellation" },
    );
  await tx.user.updateMany({
    where: { id: { in: userIds }, convertKitId: { not: null } },
    data: { convertKitId: null, updatedAt: new Date(nowMs()) },
  });
}

/** Builds the email that asks for confirmation. It is the same for every address. */
export function buildConfirmationEmail(email: string): EmailMessage {
  const query = `token=${encodeURIComponent(signConfirmationToken(email))}`;
  return {
    to: email,
    subject: `Confirm your subscription to ${siteConfig.name}`,
    parts: [
      `Someone, hopefully you, asked to get new posts from ${siteConfig.name} at this address.`,
      { link: `${env.SITE_URL}/subscribe/confirm?${query}`, label: "Confirm" },
      "The link expires in 7 days. If you didn’t ask for this, ignore this email; you won’t be subscribed.",
    ],
  };
}

/** Returns the URLs of a subscriber's page and of one-click unsubscribing (RFC 8058). */
export function unsubscribeUrls(subscriberId: string): { page: string; oneClick: string } {
  const query = `token=${encodeURIComponent(signUnsubscribeToken(subscriberId))}`;
  return {
    page: `${env.SITE_URL}/unsubscribe?${query}`,
    oneClick: `${env.SITE_URL}/unsubscribe/one-click?${query}`,
  };
}

function buildSubscribedEmail(subscriberId: string, email: string): EmailMessage {
  const { page, oneClick } = unsubscribeUrls(subscriberId);
  return {
    to: email,
    subject: `You’re subscribed to ${siteConfig.name}`,
    parts: [
      `You’ll get new posts from ${siteConfig.name} by email.`,
      { link: page, label: "Unsubscribe or choose topics" },
    ],
    unsubscribeUrl: oneClick,
  };
}
