// Tells a member by email that a device logged in that none of their sessions is from.

import { formatRegion } from "#lib/core/fly-regions.ts";
import { formatDate, formatIsoDate } from "#lib/core/format.ts";
import { nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import type { Tx } from "#lib/db/database.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import type { SessionDevice } from "./describe-device.ts";

/**
 * Enqueues the email unless the device is known or the member has no other session, as after
 * signing up: call triggerDeliveries() after the commit. Call it before the login replaces this
 * browser's session.
 */
export async function enqueueNewDeviceEmail(
  tx: Tx,
  userId: string,
  { device, place }: SessionDevice,
): Promise<void> {
  const now = nowMs();
  const sessions = await tx.session.findMany({
    where: { userId, expirationDate: { gt: new Date(now) } },
    select: { info: { select: { device: true } } },
  });
  // A migrated session has no description, so it may be of this device.
  const isKnown = sessions.some(({ info }) => !info || info.device === device);
  if (sessions.length === 0 || isKnown) return;
  const { email, firstName } = await tx.user.findUniqueOrThrow({
    where: { id: userId },
    select: { email: true, firstName: true },
  });
  const city = formatRegion(place);
  const time = `${formatDate(formatIsoDate(now))} at ${new Date(now).toISOString().slice(11, 16)} UTC`;
  await enqueueDelivery(
    tx,
    {
      kind: "MAIL",
      mail: {
        to: email,
        subject: `New login to ${siteConfig.name}: ${device}`,
        parts: [
          `Hi ${firstName},`,
          `A new device logged in to your account: ${device}${city ? `, near ${city}` : ""}, on ${time}.`,
          "If this was you, you don’t need to do anything. If not, log out the device and remove any passkeys you don’t recognize:",
          { link: `${env.SITE_URL}/me`, label: "Your devices" },
        ],
      },
    },
    { userId, about: "New device, to the member" },
  );
}
