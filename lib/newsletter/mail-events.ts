// Parses the bounces and complaints that mail providers report. Each provider has its own format;
// ours is for scripts.

import { z } from "zod";

export interface MailEvent {
  readonly email: string;
  readonly kind: "bounce" | "complaint";
}

const email = z.string().max(320);

/** {"type": "bounce", "email": "ada@example.com"}, one or a list: for scripts. */
const own = z
  .object({ type: z.enum(["bounce", "complaint"]), email })
  .transform((event): MailEvent[] => [{ email: event.email, kind: event.type }]);

/** https://postmarkapp.com/developer/webhooks/bounce-webhook */
const postmark = z
  .object({ RecordType: z.enum(["Bounce", "SpamComplaint"]), Type: z.string(), Email: email })
  .transform(({ RecordType, Type, Email }): MailEvent[] =>
    RecordType === "SpamComplaint"
      ? [{ email: Email, kind: "complaint" }]
      : Type === "HardBounce"
        ? [{ email: Email, kind: "bounce" }]
        : [],
  );

/** Other events from Postmark, such as deliveries, are accepted and ignored. */
const otherPostmark = z
  .object({ RecordType: z.string() })
  .refine(({ RecordType }) => !["Bounce", "SpamComplaint"].includes(RecordType))
  .transform((): MailEvent[] => []);

/** https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event */
const sendgrid = z
  .object({ event: z.string(), type: z.string().optional(), email })
  .transform((event): MailEvent[] => {
    if (event.event === "spamreport") return [{ email: event.email, kind: "complaint" }];
    // "blocked" is temporary.
    const isBounce = event.event === "bounce" && event.type !== "blocked";
    return isBounce ? [{ email: event.email, kind: "bounce" }] : [];
  });

/** https://documentation.mailgun.com/docs/mailgun/user-manual/events/webhooks */
const mailgun = z
  .object({
    "event-data": z.object({
      event: z.string(),
      severity: z.string().optional(),
      recipient: email,
    }),
  })
  .transform(({ "event-data": data }): MailEvent[] => {
    if (data.event === "complained") return [{ email: data.recipient, kind: "complaint" }];
    const isBounce = data.event === "failed" && data.severity === "permanent";
    return isBounce ? [{ email: data.recipient, kind: "bounce" }] : [];
  });

const recipients = z.array(z.object({ emailAddress: email })).max(1_000);
/** https://docs.aws.amazon.com/ses/latest/dg/notification-contents.html */
const ses = z
  .object({
    notificationType: z.string().optional(),
    eventType: z.string().optional(),
    bounce: z.object({ bounceType: z.string(), bouncedRecipients: recipients }).optional(),
    complaint: z.object({ complainedRecipients: recipients }).optional(),
  })
  .refine(({ notificationType, eventType }) => notificationType ?? eventType)
  .transform(({ bounce, complaint }): MailEvent[] => [
    ...(bounce?.bounceType === "Permanent" ? bounce.bouncedRecipients : []).map(
      ({ emailAddress }) => ({ email: emailAddress, kind: "bounce" as const }),
    ),
    ...(complaint?.complainedRecipients ?? []).map(({ emailAddress }) => ({
      email: emailAddress,
      kind: "complaint" as const,
    })),
  ]);

const event = z.union([own, postmark, otherPostmark, mailgun, ses, sendgrid]);
const events = z.union([
  event,
  z
    .array(event)
    .max(1_000)
    .transform((all) => all.flat()),
]);

/** Returns the reported addresses, or null if the format is unknown. Ignores other events. */
export function parseMailEvents(body: unknown): MailEvent[] | null {
  const parsed = events.safeParse(body);
  return parsed.success ? parsed.data : null;
}
