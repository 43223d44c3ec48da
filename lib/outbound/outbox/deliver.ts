// Makes one delivery: an email, a newsletter subscription, or a Discord message.

import { z } from "zod";
import { env } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { fetchJson } from "#lib/outbound/fetch/guarded-fetch.ts";
import type { EmailMessage } from "#lib/outbound/mail/email-message.ts";
import { sendEmail } from "#lib/outbound/mail/send-email.ts";

export type Delivery =
  | {
      readonly kind: "MAIL";
      readonly mail: EmailMessage;
      /** The address was typed by someone who may not own it. */
      readonly isUnconfirmed?: true;
    }
  | { readonly kind: "NEWSLETTER"; readonly email: string; readonly firstName?: string | undefined }
  | { readonly kind: "NEWSLETTER"; readonly unsubscribeId: string }
  | { readonly kind: "DISCORD"; readonly text: string };

const SubscriberResponse = z.object({ subscriber: z.object({ id: z.number() }) });

async function postJson(url: string, body: object, headers: Record<string, string> = {}) {
  const host = new URL(url).host;
  const { status, data } = await fetchJson(url, {
    method: "POST",
    body: JSON.stringify(body),
    headers: { "content-type": "application/json", ...headers },
    contentTypes: "any",
    maxRedirects: 0,
  });
  // Don't include the URL: a Discord webhook's URL contains its secret.
  if (status < 200 || status >= 300)
    throw new AppError("unavailable", `${host} responded with ${status}.`);
  return data;
}

/** Creates a subscriber at kit.com (API v4) and adds them to the newsletter's form. */
async function subscribeToNewsletter(
  email: string,
  firstName: string | undefined,
): Promise<{ kitId: string }> {
  const headers = { "x-kit-api-key": readRequiredSetting("KIT_API_KEY") };
  const data = SubscriberResponse.safeParse(
    await postJson(
      `${env.KIT_API}/subscribers`,
      { email_address: email, first_name: firstName },
      headers,
    ),
  );
  if (!data.success) throw new AppError("unavailable", "Kit responded without a subscriber.");
  const { id } = data.data.subscriber;
  await postJson(`${env.KIT_API}/forms/${env.KIT_FORM_ID}/subscribers/${id}`, {}, headers);
  return { kitId: String(id) };
}

async function unsubscribeFromNewsletter(kitId: string): Promise<void> {
  await postJson(
    `${env.KIT_API}/subscribers/${encodeURIComponent(kitId)}/unsubscribe`,
    {},
    { "x-kit-api-key": readRequiredSetting("KIT_API_KEY") },
  );
}

/** Throws AppError(unavailable) if the setting was removed after the delivery was enqueued. */
function readRequiredSetting(name: "KIT_API_KEY" | "DISCORD_WEBHOOK_URL"): string {
  const value = env[name];
  if (value === undefined) throw new AppError("unavailable", `${name} is no longer set.`);
  return value;
}

/**
 * Resolves when the receiver has accepted the delivery, to Kit's subscriber ID for a newsletter,
 * else null. Throws AppError with the reason.
 */
export async function deliver(delivery: Delivery): Promise<{ kitId: string } | null> {
  switch (delivery.kind) {
    case "MAIL":
      await sendEmail(delivery.mail);
      return null;
    case "NEWSLETTER":
      if (!("unsubscribeId" in delivery))
        return subscribeToNewsletter(delivery.email, delivery.firstName);
      await unsubscribeFromNewsletter(delivery.unsubscribeId);
      return null;
    case "DISCORD":
      // Members' text must not ping anyone.
      await postJson(readRequiredSetting("DISCORD_WEBHOOK_URL"), {
        content: delivery.text.slice(0, 1_900),
        allowed_mentions: { parse: [] },
      });
      return null;
  }
}
