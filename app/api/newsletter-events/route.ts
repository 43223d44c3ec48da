// Receives bounces and complaints from the mail provider, and unsubscribes those addresses.

import { env } from "#lib/core/env.ts";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { isSameSecret } from "#lib/core/secret.ts";
import { write } from "#lib/db/database.ts";
import { NEWSLETTER_CHALLENGE } from "#lib/http/body-limits.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { readBody } from "#lib/http/read-body.ts";
import { applyMailEvents } from "#lib/newsletter/apply-mail-events.ts";
import { parseMailEvents } from "#lib/newsletter/mail-events.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { ensurePrimary } from "#lib/replication/ensure-primary.ts";

export const dynamic = "force-dynamic";

const MAX_BYTES = 1_048_576;

/** Returns the password of Basic authentication, which providers take in a URL, or a bearer token. */
function readSecret(authorization: string | null): string {
  const [, scheme = "", value = ""] =
    /^(basic|bearer) (\S{1,2000})$/i.exec(authorization ?? "") ?? [];
  if (scheme.toLowerCase() === "bearer") return value;
  const credentials = Buffer.from(value, "base64").toString();
  return credentials.slice(credentials.indexOf(":") + 1);
}

/** Amazon SNS wraps a notification, and first asks to confirm the subscription with a link. */
function unwrapSns(body: unknown): unknown {
  const { Type, Message, SubscribeURL } = (body ?? {}) as Record<string, unknown>;
  if (Type === "SubscriptionConfirmation") {
    if (typeof SubscribeURL !== "string")
      throw new AppError("invalid", "SubscribeURL must be text.", { field: "SubscribeURL" });
    log("warn", "newsletter.confirm_sns", { url: SubscribeURL.slice(0, 2_000) });
    return [];
  }
  return Type === "Notification" && typeof Message === "string" ? parseJson(Message) : body;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("invalid", "The body is not JSON.", { cause: error });
  }
}

const json = (status: number, message: string, headers = {}) =>
  Response.json({ message }, { status, headers: { "cache-control": "no-store", ...headers } });

/** Responds the same for every address. */
export async function POST(request: Request): Promise<Response> {
  const secrets = env.NEWSLETTER_WEBHOOK_SECRET;
  if (!secrets) return json(404, "Not found.");
  return withErrorResponse(request, async () => {
    const secret = readSecret(request.headers.get("authorization"));
    if (!secrets.some((accepted) => isSameSecret(secret, accepted)))
      return json(401, "The password is wrong.", NEWSLETTER_CHALLENGE);
    const bytes = await readBody(request, { maxBytes: MAX_BYTES });
    const events = parseMailEvents(unwrapSns(parseJson(new TextDecoder().decode(bytes))));
    if (!events) throw new AppError("invalid", "The body is not in a supported format.");
    await ensurePrimary();
    if (events.length > 0) {
      const count = await write((tx) => applyMailEvents(tx, events), { isDurable: true });
      if (count > 0) triggerDeliveries();
      log("info", "newsletter.mail_events", { events: events.length, unsubscribed: count });
    }
    return json(200, "Received.");
  });
}
