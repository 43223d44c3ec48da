"use server";
// Subscribes an address to the newsletter: asks its owner by email, then accepts the link (double
// opt-in).

import { redirect } from "next/navigation";
import { z } from "zod";
import { AppError } from "#lib/core/errors.ts";
import { emailField } from "#lib/core/validate.ts";
import { setNotice } from "#lib/http/notice-cookie.ts";
import { assertSiteUrl } from "#lib/http/site-url.ts";
import { consumeConsent, getSubscriptionLimiter } from "#lib/members/limiters.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { buildConfirmationEmail, subscribe } from "#lib/members/subscribers.ts";
import { MAX_TOKEN_LENGTH, verifyConfirmationToken } from "#lib/members/subscription-token.ts";
import { parseTopicFields } from "#lib/members/topic-fields.ts";
import { enqueueDelivery, triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { listTopics } from "#lib/posts/topics.ts";

/** Does the same for every address, so that it reveals no subscriber. */
export const requestSubscription = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({ email: emailField() }),
  async run({ input: { email }, clientAddress, write }) {
    assertSiteUrl();
    getSubscriptionLimiter().consumeEmail({ email, address: clientAddress });
    await write((tx) =>
      enqueueDelivery(
        tx,
        { kind: "MAIL", mail: buildConfirmationEmail(email), isUnconfirmed: true },
        { userId: null, about: "Subscription request" },
      ),
    );
    triggerDeliveries();
    return "Check your email: we’ve sent you a link to confirm your subscription.";
  },
});

const EXPIRED = "This link is damaged or has expired. Subscribe again.";

export const confirmSubscription = defineServerAction({
  requiredRole: "anyone",
  fields: z.looseObject({ token: z.string({ error: EXPIRED }).max(MAX_TOKEN_LENGTH) }),
  secretFields: ["token"],
  async run({ input, write }) {
    const email = verifyConfirmationToken(input.token);
    if (!email) throw new AppError("invalid", EXPIRED, { field: "token" });
    consumeConsent(email);
    const topics = parseTopicFields(input, listTopics(await getIndex()));
    await write((tx) => subscribe(tx, { email, topics }), { isDurable: true });
    triggerDeliveries();
    await setNotice("subscribed");
    redirect("/subscribe");
  },
});
