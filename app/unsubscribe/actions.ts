"use server";
// Changes the subscription that a link's token belongs to, without a login.

import { refresh } from "next/cache";
import { z } from "zod";
import { AppError } from "#lib/core/errors.ts";
import { read } from "#lib/db/database.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import {
  changeTopics,
  findSubscriber,
  findTokenEmail,
  unsubscribe as removeSubscriber,
} from "#lib/members/subscribers.ts";
import { MAX_TOKEN_LENGTH, verifyUnsubscribeToken } from "#lib/members/subscription-token.ts";
import { parseTopicFields } from "#lib/members/topic-fields.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { getIndex } from "#lib/posts/catalog/site-catalog.ts";
import { listTopics } from "#lib/posts/topics.ts";

const DAMAGED = "This link is damaged.";
const tokenField = z.string({ error: DAMAGED }).max(MAX_TOKEN_LENGTH);

/** Returns the address of the token; null if it is not subscribed. Throws AppError(invalid). */
function findEmail(token: string): Promise<string | null> {
  const key = verifyUnsubscribeToken(token);
  if (!key) throw new AppError("invalid", DAMAGED, { field: "token" });
  return read((tx) => findTokenEmail(tx, key));
}

export const unsubscribe = defineServerAction({
  requiredRole: "anyone",
  fields: z.object({ token: tokenField }),
  secretFields: ["token"],
  async run({ input, write }) {
    const email = await findEmail(input.token);
    if (email) await write((tx) => removeSubscriber(tx, email), { isDurable: true });
    triggerDeliveries();
    refresh();
    return "Unsubscribed.";
  },
});

export const chooseTopics = defineServerAction({
  requiredRole: "anyone",
  fields: z.looseObject({ token: tokenField }),
  secretFields: ["token"],
  async run({ input, write }) {
    const email = await findEmail(input.token);
    const topics = parseTopicFields(input, listTopics(await getIndex()));
    const isChanged =
      email !== null &&
      (await write(async (tx) => {
        const subscriber = await findSubscriber(tx, email);
        if (subscriber) await changeTopics(tx, subscriber.id, topics);
        return subscriber !== null;
      }));
    if (!isChanged) throw new AppError("conflict", "This address is no longer subscribed.");
    refresh();
    return topics.length === 0 ? "You’ll get all posts." : "Topics saved.";
  },
});
