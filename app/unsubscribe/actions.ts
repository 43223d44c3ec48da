"use server";
// Unsubscribes the member whose link was opened, without a login.

import { z } from "zod";
import { AppError } from "#lib/core/errors.ts";
import { verifyUnsubscribeToken, withdrawConsent } from "#lib/members/consent.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";

export const unsubscribe = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({ token: z.string({ error: "This link is damaged." }).max(200) }),
  secretFields: ["token"],
  async run({ input, write }) {
    const userId = verifyUnsubscribeToken(input.token);
    if (!userId) throw new AppError("invalid", "This link is damaged.", { field: "token" });
    await write((tx) => withdrawConsent(tx, userId, "NEWSLETTER"));
    triggerDeliveries();
    return "Unsubscribed. You won’t get any more posts by email.";
  },
});
