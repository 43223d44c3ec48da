// Makes one delivery. Throws when it was not heard.

import { z } from "zod";
import { env } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { fetchJson } from "#lib/outbound/fetch/guarded-fetch.ts";
import type { EmailMessage } from "#lib/outbound/mail/email-message.ts";
import { sendEmail } from "#lib/outbound/mail/send-email.ts";

export type Delivery =
  | { readonly kind: "MAIL"; readonly mail: EmailMessage }
  | { readonly kind: "NEWSLETTER"; readonly email: string; readonly firstName: string }
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
  // Never the URL: a Discord webhook's holds its secret.
  if (status < 200 || status >= 300)
    throw new AppError("unavailable", `${host} answered ${status}.`);
  return data;
}

/** kit.com, API v4: the subscriber, then the form that adds them to the newsletter. */
async function subscribeToNewsletter(
  email: string,
  firstName: string,
): Promise<{ convertKitId: string }> {
  const headers = { "x-kit-api-key": readRequiredSetting("KIT_API_KEY") };
  const data = SubscriberResponse.safeParse(
    await postJson(
      `${env.KIT_API}/subscribers`,
      { email_address: email, first_name: firstName },
      headers,
    ),
  );
  if (!data.success) throw new AppError("unavailable", "Kit answered without a subscriber.");
  const { id } = data.data.subscriber;
  await postJson(`${env.KIT_API}/forms/${env.KIT_FORM_ID}/subscribers/${id}`, {}, headers);
  return { convertKitId: String(id) };
}

/** What was written down while it was configured may find it gone. */
function readRequiredSetting(name: "KIT_API_KEY" | "DISCORD_WEBHOOK_URL"): string {
  const value = env[name];
  if (value === undefined) throw new AppError("unavailable", `${name} is not set any more.`);
  return value;
}

/** Resolves when the other side has taken it, with what is worth keeping. Throws AppError with the reason. */
export async function deliver(delivery: Delivery): Promise<{ convertKitId: string } | null> {
  switch (delivery.kind) {
    case "MAIL":
      await sendEmail(delivery.mail);
      return null;
    case "NEWSLETTER":
      return subscribeToNewsletter(delivery.email, delivery.firstName);
    case "DISCORD":
      // Nobody is pinged by what a member wrote.
      await postJson(readRequiredSetting("DISCORD_WEBHOOK_URL"), {
        content: delivery.text.slice(0, 1_900),
        allowed_mentions: { parse: [] },
      });
      return null;
  }
}
