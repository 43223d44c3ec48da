import { afterEach, expect, test } from "vitest";
import { DAY_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
import { enqueueDelivery, listDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { execute, selectRows } from "#tests/support/database.ts";
import { insertUser } from "#tests/support/factories.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { createLoginLimiter } from "./limiters.ts";
import {
  buildConfirmationEmail,
  changeTopics,
  findSubscriber,
  findTokenEmail,
  subscribe,
  unsubscribe,
} from "./subscribers.ts";
import {
  CONFIRMATION_TTL_MS,
  signConfirmationToken,
  signUnsubscribeToken,
  verifyConfirmationToken,
} from "./subscription-token.ts";

afterEach(() => overrideEnv({ KIT_API_KEY: undefined, KIT_FORM_ID: undefined }));

const EMAIL = "ada@example.test";
const newsletterConsents = () =>
  selectRows<{ userId: string }>(`SELECT "userId" FROM "Consent" WHERE "purpose" = 'NEWSLETTER'`);

test("a confirmation token proves its address for seven days, and nothing else", () => {
  const token = signConfirmationToken(EMAIL);
  expect(verifyConfirmationToken(token)).toBe(EMAIL);
  const [text, signature] = token.split(".");
  const forged = Buffer.from(`${nowMs() + DAY_MS} eve@example.test`).toString("base64url");
  const wrong = [
    "",
    ".",
    text!,
    `${text}.`,
    `${forged}.${signature}`,
    `${text}.${signature}x`,
    signUnsubscribeToken("a"),
    "x".repeat(10_000),
  ];
  expect(wrong.map(verifyConfirmationToken)).toEqual(wrong.map(() => null));
  setClock(nowMs() + CONFIRMATION_TTL_MS + 1);
  expect(verifyConfirmationToken(token)).toBeNull();
});

test("the request of a subscriber looks like that of a stranger", async () => {
  setClock(1_000);
  await write((tx) => subscribe(tx, { email: EMAIL }));
  const [known, unknown] = [EMAIL, "bob@example.test"].map((email) => {
    const { parts, ...rest } = buildConfirmationEmail(email);
    return JSON.stringify({
      ...rest,
      to: "",
      parts: parts.filter((part) => typeof part === "string"),
    });
  });
  expect(known).toBe(unknown);
});

test("an address with its domain in Unicode, as some migrated members have, is the one in ASCII", async () => {
  const [unicode, ascii] = ["Ada@münchen.test", "ada@xn--mnchen-3ya.test"] as const;
  for (const [first, second] of [
    [unicode, ascii],
    [ascii, unicode],
  ] as const) {
    await write((tx) => subscribe(tx, { email: first }));
    await write((tx) => subscribe(tx, { email: second }));
    expect(await read((tx) => tx.subscriber.count())).toBe(1);
    expect(await read((tx) => findSubscriber(tx, second))).not.toBeNull();
    await write((tx) => unsubscribe(tx, second));
    expect(await read((tx) => tx.subscriber.count())).toBe(0);
  }
});

test("subscribing again changes only the topics, and sends no second email", async () => {
  await write((tx) => subscribe(tx, { email: EMAIL, topics: ["sqlite"] }));
  const first = await read((tx) => findSubscriber(tx, EMAIL));
  await write((tx) => subscribe(tx, { email: "ADA@example.test", topics: ["mdx", "react"] }));
  expect(await read((tx) => findSubscriber(tx, EMAIL))).toEqual({
    ...first,
    topics: ["mdx", "react"],
  });
  await write((tx) => changeTopics(tx, first!.id, []));
  expect((await read((tx) => findSubscriber(tx, EMAIL)))?.topics).toEqual([]);
  expect(await read((tx) => listDeliveries(tx))).toHaveLength(1);
});

test("after unsubscribing and subscribing again, the links in earlier emails work", async () => {
  await write((tx) => subscribe(tx, { email: EMAIL }));
  const { id } = (await read((tx) => findSubscriber(tx, EMAIL)))!;
  const linkedEmail = () => read((tx) => findTokenEmail(tx, { subscriberId: id }));
  await write((tx) => unsubscribe(tx, EMAIL));
  expect(await linkedEmail()).toBeNull();
  for (const email of ["bob@example.test", "Ada@example.test"])
    await write((tx) => subscribe(tx, { email }));
  expect(await linkedEmail()).toBe(EMAIL);
  // A subscriber whose address was changed keeps the links.
  await execute(`UPDATE "Subscriber" SET "email" = 'eve@example.test' WHERE "id" = ?`, id);
  await write((tx) => subscribe(tx, { email: EMAIL }));
  expect(await linkedEmail()).toBe("eve@example.test");
  expect(await read((tx) => tx.subscriber.count())).toBe(3);
});

test("unsubscribing deletes the subscriber and their pending deliveries, and no one else's", async () => {
  await write((tx) => subscribe(tx, { email: EMAIL }));
  await write((tx) => subscribe(tx, { email: "bob@example.test" }));
  const { id } = (await read((tx) => findSubscriber(tx, EMAIL)))!;
  await write(async (tx) => {
    const issue = { postSlug: "a", subject: "A", createdAt: new Date() };
    const { id: issueId } = await tx.newsletterIssue.create({ data: issue });
    for (const subscriberId of [id, "bob"])
      await tx.newsletterDelivery.create({
        data: { issueId, subscriberId, nextTryAt: new Date() },
      });
  });
  for (let i = 0; i < 2; i++) await write((tx) => unsubscribe(tx, "Ada@Example.test"));
  expect(await selectRows(`SELECT "email" FROM "Subscriber"`)).toEqual([
    { email: "bob@example.test" },
  ]);
  expect(await selectRows(`SELECT "subscriberId" FROM "NewsletterDelivery"`)).toEqual([
    { subscriberId: "bob" },
  ]);
});

test("unsubscribing deletes the messages about the subscription, and no others", async () => {
  overrideEnv({ KIT_API_KEY: "kit-secret", KIT_FORM_ID: "77" });
  await write(async (tx) => {
    await subscribe(tx, { email: EMAIL });
    await subscribe(tx, { email: "bob@example.test" });
    const mail = { to: EMAIL, subject: "A", parts: ["A"] };
    await enqueueDelivery(tx, { kind: "MAIL", mail }, { userId: null, about: "Another email" });
    // An admin decides about them, but the address must not be kept.
    await tx.delivery.updateMany({ data: { nextTryAt: null } });
    await unsubscribe(tx, "Ada@Example.test");
  });
  const deliveries = await selectRows<{ about: string; payload: string }>(
    `SELECT "about", "payload" FROM "Delivery" ORDER BY "id"`,
  );
  expect(deliveries.map(({ about }) => about)).toEqual([
    "Newsletter subscription",
    "Subscription confirmation",
    "Another email",
  ]);
  expect(JSON.stringify(deliveries.slice(0, 2))).not.toContain(EMAIL);
});

test("the previous version of the code sees and changes the same subscriptions, in Consent", async () => {
  const ada = await write((tx) => insertUser(tx, { email: "Ada@example.test" }));
  const bob = await write((tx) => insertUser(tx));
  await write((tx) => subscribe(tx, { email: ada.email }));
  expect(await newsletterConsents()).toEqual([{ userId: ada.id }]);
  await execute(`INSERT INTO "Consent" VALUES (?, 'NEWSLETTER', 1)`, bob.id);
  expect((await read((tx) => findSubscriber(tx, bob.email)))?.subscribedAt).toEqual(new Date(1));
  await execute(`DELETE FROM "Consent" WHERE "userId" = ?`, ada.id);
  expect(await read((tx) => findSubscriber(tx, ada.email))).toBeNull();
  await write((tx) => unsubscribe(tx, bob.email));
  expect(await newsletterConsents()).toEqual([]);
  await write((tx) => subscribe(tx, { email: bob.email }));
  await execute(`DELETE FROM "User" WHERE "id" = ?`, bob.id);
  expect(await read((tx) => tx.subscriber.count())).toBe(0);
});

test("subscription requests are limited by address and client, apart from logins", () => {
  const limiter = createLoginLimiter("Too many subscription requests.");
  for (let i = 0; i < 5; i++) limiter.consumeEmail({ email: EMAIL, address: `10.0.${i}.1` });
  expect(() => limiter.consumeEmail({ email: EMAIL, address: "10.0.9.1" })).toThrow(
    expect.objectContaining({ code: "rate_limited" }) as Error,
  );
});
