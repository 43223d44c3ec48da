import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { POST } from "#app/api/newsletter-events/route.ts";
import { read, write } from "#lib/db/database.ts";
import { listAuditEvents } from "#lib/db/audit.ts";
import { subscribe } from "#lib/members/subscribers.ts";
import { runDueDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { parseMailEvents } from "./mail-events.ts";

const SECRET = "a-password-of-the-provider";
beforeEach(() => overrideEnv({ NEWSLETTER_WEBHOOK_SECRET: SECRET }));
afterEach(async () => {
  await runDueDeliveries();
  overrideEnv({ NEWSLETTER_WEBHOOK_SECRET: undefined });
});

const ADA = "ada@example.test";
const bounce = [{ email: ADA, kind: "bounce" }];
const complaint = [{ email: ADA, kind: "complaint" }];

test.each([
  ["a script", { type: "bounce", email: ADA }, bounce],
  ["a script's complaint", [{ type: "complaint", email: ADA }], complaint],
  ["Postmark", { RecordType: "Bounce", Type: "HardBounce", Email: ADA, ID: 1 }, bounce],
  ["Postmark, temporary", { RecordType: "Bounce", Type: "Transient", Email: ADA }, []],
  [
    "Postmark, a complaint",
    { RecordType: "SpamComplaint", Type: "SpamComplaint", Email: ADA },
    complaint,
  ],
  ["Postmark, others", { RecordType: "Delivery", Recipient: ADA }, []],
  ["SendGrid", [{ email: ADA, event: "bounce", type: "bounce" }], bounce],
  ["SendGrid, temporary", [{ email: ADA, event: "bounce", type: "blocked" }], []],
  [
    "SendGrid, others",
    [
      { email: ADA, event: "delivered" },
      { email: ADA, event: "spamreport" },
    ],
    complaint,
  ],
  ["Mailgun", { "event-data": { event: "failed", severity: "permanent", recipient: ADA } }, bounce],
  [
    "Mailgun, temporary",
    { "event-data": { event: "failed", severity: "temporary", recipient: ADA } },
    [],
  ],
  ["Mailgun, a complaint", { "event-data": { event: "complained", recipient: ADA } }, complaint],
  [
    "SES",
    {
      notificationType: "Bounce",
      bounce: { bounceType: "Permanent", bouncedRecipients: [{ emailAddress: ADA }] },
    },
    bounce,
  ],
  [
    "SES, temporary",
    {
      notificationType: "Bounce",
      bounce: { bounceType: "Transient", bouncedRecipients: [{ emailAddress: ADA }] },
    },
    [],
  ],
  [
    "SES, a complaint",
    { eventType: "Complaint", complaint: { complainedRecipients: [{ emailAddress: ADA }] } },
    complaint,
  ],
])("the format of %s is understood", (_, body, expected) => {
  expect(parseMailEvents(body)).toEqual(expected);
});

test("an unknown format is refused", () => {
  for (const body of [
    null,
    1,
    "x",
    {},
    { type: "open", email: ADA },
    [{ type: "bounce" }],
    [[]],
    { RecordType: "Bounce", Type: "HardBounce" },
  ])
    expect([body, parseMailEvents(body)]).toEqual([body, null]);
});

const post = (body: unknown, authorization: string | null = `Bearer ${SECRET}`) =>
  POST(
    new Request("http://localhost/api/newsletter-events", {
      method: "POST",
      headers: { "content-type": "application/json", ...(authorization && { authorization }) },
      body: typeof body === "string" ? body : JSON.stringify(body),
    }),
  );
const subscriberCount = () => read((tx) => tx.subscriber.count());
const basic = (password: string) => `Basic ${Buffer.from(`mail:${password}`).toString("base64")}`;

test("a bounce unsubscribes its address, whatever its case, and is logged without it", async () => {
  await write((tx) => subscribe(tx, { email: ADA }));
  await write((tx) => subscribe(tx, { email: "bob@example.test" }));
  const answers = [
    await post({ type: "bounce", email: "Ada@Example.test" }, basic(SECRET)),
    await post({ type: "bounce", email: "stranger@example.test" }),
  ];
  // The same for a stranger.
  expect(await Promise.all(answers.map((response) => response.text()))).toEqual([
    '{"message":"Received."}',
    '{"message":"Received."}',
  ]);
  expect(await subscriberCount()).toBe(1);
  const events = await read((tx) => listAuditEvents(tx));
  expect(events).toMatchObject([{ actorId: null, action: "subscriber.bounce" }]);
  expect(JSON.stringify(events)).not.toContain("ada@");
});

test("without the password, nothing is unsubscribed", async () => {
  await write((tx) => subscribe(tx, { email: ADA }));
  const event = { type: "complaint", email: ADA };
  const wrong = [
    null,
    "",
    "Bearer ",
    "Bearer x",
    basic(""),
    basic("x"),
    SECRET,
    basic(`${SECRET}x`),
  ];
  for (const authorization of wrong)
    expect([authorization, (await post(event, authorization)).status]).toEqual([
      authorization,
      401,
    ]);
  overrideEnv({ NEWSLETTER_WEBHOOK_SECRET: undefined });
  expect((await post(event)).status).toBe(404);
  expect(await subscriberCount()).toBe(1);
});

test("a body that is not JSON or not in a supported format is refused", async () => {
  for (const body of [
    "{",
    "",
    { type: "x" },
    { Type: "Notification", Message: "{" },
    { Type: "SubscriptionConfirmation" },
    { Type: "SubscriptionConfirmation", SubscribeURL: { toString: 1 } },
  ])
    expect([body, (await post(body)).status]).toEqual([body, 400]);
});

test("an Amazon SNS notification is unwrapped, and its confirmation link is logged, not opened", async () => {
  await write((tx) => subscribe(tx, { email: ADA }));
  const lines: string[] = [];
  overrideEnv({ LOG_LEVEL: "warn" });
  vi.spyOn(process.stdout, "write").mockImplementation((line) => lines.push(String(line)) > 0);
  expect(
    (await post({ Type: "SubscriptionConfirmation", SubscribeURL: "https://sns.test/x" })).status,
  ).toBe(200);
  expect(lines.join("")).toContain("https://sns.test/x");
  const message = {
    notificationType: "Complaint",
    complaint: { complainedRecipients: [{ emailAddress: ADA }] },
  };
  await post({ Type: "Notification", Message: JSON.stringify(message) });
  overrideEnv({ LOG_LEVEL: "error" });
  expect(await subscriberCount()).toBe(0);
});
