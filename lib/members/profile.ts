// Reads and changes a member's own profile.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { singleLineField } from "#lib/core/validate.ts";
import { listConsents } from "./consent.ts";
import { findSubscriber, isOnKitList } from "./subscribers.ts";
import type { Tx } from "#lib/db/database.ts";

/** A field of 1 to 60 characters on one line. */
export const firstNameField = () => singleLineField({ label: "The first name", maxLength: 60 });

export type Profile = Awaited<ReturnType<typeof getProfile>>;

/**
 * Returns the member's profile, with the number of their calls and of the published ones. Throws
 * AppError(not_found) if the account was deleted.
 */
export async function getProfile(tx: Tx, userId: string) {
  const user = await tx.user.findUnique({
    where: { id: userId },
    select: { email: true, createdAt: true, convertKitId: true },
  });
  if (!user) throw new AppError("not_found", "This account has been deleted.");
  const { email, createdAt } = user;
  return {
    email,
    createdAt,
    consents: await listConsents(tx, { id: userId, email }),
    /** Null without a subscription. */
    subscriber: await findSubscriber(tx, email),
    /** On Kit's list, with or without consent. */
    isSubscribed: isOnKitList(user),
    callCount: await tx.call.count({ where: { userId } }),
    episodeCount: await tx.call.count({ where: { userId, episode: { isNot: null } } }),
  };
}

/** Changes the member's first name. Published episodes keep the old one. */
export async function changeFirstName(
  tx: Tx,
  { userId, name }: { userId: string; name: string },
): Promise<void> {
  await tx.user.updateMany({
    where: { id: userId },
    data: { firstName: name, updatedAt: new Date(nowMs()) },
  });
}
