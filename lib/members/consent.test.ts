import { afterEach, beforeEach, expect, test } from "vitest";
import { GET, POST } from "#app/unsubscribe/one-click/route.ts";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { signText } from "#lib/core/signature.ts";
import { read, write } from "#lib/db/database.ts";
import { closeSmtpTransport } from "#lib/outbound/mail/send-email.ts";
import { enqueueDelivery, listDeliveries, runDueDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { insertUser } from "#tests/support/factories.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";
import { grantConsent, listConsents, offeredPurposes, withdrawConsent } from "./consent.ts";
import { deleteAccount } from "./delete-account.ts";
import { listDataReceivers } from "./data-receivers.ts";
import { getProfile } from "./profile.ts";
import { findSubscriber, findTokenEmail, subscribe } from "./subscribers.ts";
import {
  signConfirmationToken,
  signUnsubscribeToken,
  verifyUnsubscribeToken,
} from "./subscription-token.ts";

let smtp: TestSmtpServer;
let requests: string[];
let kit: TestServer;
let whileSubscribing: (() => Promise<unknown>) | null;

beforeEach(async () => {
  smtp = await startSmtpServer();
  requests = [];
  whileSubscribing = null;
  kit = await serveHttp((request, response) => {
    request.resume();
    const answer = async () => {
      await whileSubscribing?.();
      whileSubscribing = null;
      requests.push(`${request.method} ${request.url}`);
      response.writeHead(request.url!.endsWith("/unsubscribe") ? 204 : 201, {
        "content-type": "application/json",
      });
      response.end(
        request.url!.endsWith("/unsubscribe") ? "" : JSON.stringify({ subscriber: { id: 4711 } }),
      );
    };
    request.on("end", () => void answer());
  });
  overrideEnv({
    SMTP_URL: smtp.url,
    KIT_API_KEY: "kit-secret",
    KIT_FORM_ID: "77",
    KIT_API: kit.origin,
    FETCH_ALLOW_PRIVATE: kit.hostAndPort,
  });
});
afterEach(async () => {
  closeSmtpTransport();
  await Promise.all([smtp.close(), kit.close()]);
  overrideEnv({
    SMTP_URL: undefined,
    KIT_API_KEY: undefined,
    KIT_FORM_ID: undefined,
    KIT_API: undefined,
    DISCORD_WEBHOOK_URL: undefined,
    FETCH_ALLOW_PRIVATE: undefined,
  });
});

const insertSubscriber = () =>
  write(async (tx) => {
    const user = insertUser(tx, { email: "Ada@example.test" });
    await grantConsent(tx, user, "NEWSLETTER");
    return { ...user, subscriberId: (await findSubscriber(tx, user.email))!.id };
  });
const findKitId = async (email: string) =>
  (await read((tx) => tx.subscriber.findUnique({ where: { email }, select: { kitId: true } })))
    ?.kitId;
const oneClick = (token: string) =>
  POST(
    new Request(`https://example.test/unsubscribe/one-click?token=${encodeURIComponent(token)}`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      body: "List-Unsubscribe=One-Click",
    }),
  );

test("a consent is recorded once, and confirmed by an email with one-click unsubscription", async () => {
  const user = await insertSubscriber();
  await write((tx) => grantConsent(tx, user, "NEWSLETTER"));
  await runDueDeliveries();
  expect(requests).toEqual(["POST /subscribers", "POST /forms/77/subscribers/4711"]);
  expect(await findKitId("ada@example.test")).toBe("4711");
  expect(smtp.emails).toHaveLength(1);
  const { headerLines } = smtp.emails[0]!;
  const url = /^List-Unsubscribe: <\s*([^>]+)>/im.exec(headerLines.join("\n"))?.[1];
  expect(headerLines).toContain("List-Unsubscribe-Post: List-Unsubscribe=One-Click");
  expect(verifyUnsubscribeToken(new URL(url!).searchParams.get("token")!)).toEqual({
    subscriberId: user.subscriberId,
  });
});

test("one click unsubscribes from the newsletter, and a second one changes nothing", async () => {
  const user = await insertSubscriber();
  await runDueDeliveries();
  for (let i = 0; i < 2; i++)
    expect((await oneClick(signUnsubscribeToken(user.subscriberId))).status).toBe(200);
  await runDueDeliveries();
  expect(requests.slice(2)).toEqual(["POST /subscribers/4711/unsubscribe"]);
  expect(await read((tx) => listConsents(tx, user))).toEqual(new Set());
});

test("the link of an earlier version, with the member's ID, still unsubscribes", async () => {
  const user = await insertSubscriber();
  const token = `${user.id}.${signText("lectern unsubscribe v1", user.id)}`;
  expect((await oneClick(token)).status).toBe(200);
  expect(await read((tx) => listConsents(tx, user))).toEqual(new Set());
});

test("a forged or damaged link is refused and changes nothing", async () => {
  const user = await insertSubscriber();
  const id = user.subscriberId;
  const [, signature] = signUnsubscribeToken("another").split(".");
  const confirmation = signConfirmationToken(user.email);
  const tokens = ["", id, `${id}.`, `${id}.${signature}`, `${id}.${"x".repeat(43)}`, "."];
  // A signature for one purpose is invalid for another.
  for (const token of [
    ...tokens,
    confirmation,
    `${id}.${signText("lectern unsubscribe v1", user.id)}`,
  ])
    expect([token, (await oneClick(token)).status]).toEqual([token, 400]);
  expect(await read((tx) => listConsents(tx, user))).toEqual(new Set(["NEWSLETTER"]));
});

test("opening the one-click address changes nothing and leads to the page", async () => {
  const user = await insertSubscriber();
  const token = signUnsubscribeToken(user.subscriberId);
  const response = GET(new Request(`https://example.test/unsubscribe/one-click?token=${token}`));
  expect([response.status, response.headers.get("location")]).toEqual([
    303,
    `/unsubscribe?token=${token}`,
  ]);
  expect(await read((tx) => listConsents(tx, user))).toEqual(new Set(["NEWSLETTER"]));
});

test("a withdrawal before the delivery sends nothing to Kit", async () => {
  const user = await insertSubscriber();
  await write((tx) => withdrawConsent(tx, user, "NEWSLETTER"));
  await write((tx) => subscribe(tx, { email: "bob@example.test" }));
  await write((tx) => tx.subscriber.deleteMany());
  await runDueDeliveries();
  expect(requests).toEqual([]);
});

test("a withdrawal while the subscription is being delivered undoes it", async () => {
  const user = await insertSubscriber();
  whileSubscribing = () => write((tx) => withdrawConsent(tx, user, "NEWSLETTER"));
  await runDueDeliveries();
  await runDueDeliveries();
  expect(requests.at(-1)).toBe("POST /subscribers/4711/unsubscribe");
});

test("withdrawing consent to a Discord announcement deletes its message, but none about the member's calls", async () => {
  overrideEnv({ DISCORD_WEBHOOK_URL: kit.origin });
  await write(async (tx) => {
    const user = insertUser(tx);
    await grantConsent(tx, user, "DISCORD");
    await enqueueDelivery(
      tx,
      { kind: "DISCORD", text: "New call" },
      { userId: user.id, about: "New call, to the admins: A question" },
    );
    await withdrawConsent(tx, user, "DISCORD");
    expect(await listConsents(tx, user)).toEqual(new Set());
  });
  const deliveries = await read((tx) => listDeliveries(tx));
  expect(deliveries.map(({ about }) => about)).toEqual(["New call, to the admins: A question"]);
});

test("a deleted account is unsubscribed from the newsletter", async () => {
  const { id } = await insertSubscriber();
  await runDueDeliveries();
  await write((tx) => deleteAccount(tx, id));
  await runDueDeliveries();
  expect(requests.at(-1)).toBe("POST /subscribers/4711/unsubscribe");
  expect(await read((tx) => tx.subscriber.count())).toBe(0);
});

test("a member of a source site has agreed to nothing, and can leave the list they are on", async () => {
  const user = await write(async (tx) => {
    const user = insertUser(tx);
    await tx.user.update({ where: { id: user.id }, data: { convertKitId: "99" } });
    return user;
  });
  expect(await read((tx) => listConsents(tx, user))).toEqual(new Set());
  await write((tx) => withdrawConsent(tx, user, "NEWSLETTER"));
  await runDueDeliveries();
  expect(requests).toEqual(["POST /subscribers/99/unsubscribe"]);
});

test("without Kit, a migrated member is not on Kit's list, can subscribe, and can unsubscribe", async () => {
  overrideEnv({ KIT_API_KEY: undefined });
  const user = await write(async (tx) => {
    const user = insertUser(tx);
    await tx.user.update({ where: { id: user.id }, data: { convertKitId: "99" } });
    return user;
  });
  expect((await read((tx) => getProfile(tx, user.id))).isSubscribed).toBe(false);
  expect(await read((tx) => findTokenEmail(tx, { userId: user.id }))).toBeNull();
  await write((tx) => grantConsent(tx, user, "NEWSLETTER"));
  expect(await read((tx) => findTokenEmail(tx, { userId: user.id }))).toBe(user.email);
  await write((tx) => withdrawConsent(tx, user, "NEWSLETTER"));
  expect(await read((tx) => findTokenEmail(tx, { userId: user.id }))).toBeNull();
});

test("a delayed cancellation at Kit does not undo a newer subscription", async () => {
  const user = await insertSubscriber();
  await runDueDeliveries();
  await write((tx) => withdrawConsent(tx, user, "NEWSLETTER"));
  // Kit is down, so the cancellation waits for a retry.
  await write((tx) =>
    tx.delivery.updateMany({ data: { tries: 1, nextTryAt: new Date(nowMs() + MINUTE_MS) } }),
  );
  await write((tx) => grantConsent(tx, user, "NEWSLETTER"));
  await runDueDeliveries();
  setClock(nowMs() + MINUTE_MS);
  await runDueDeliveries();
  expect(requests.filter((request) => request.endsWith("/unsubscribe"))).toEqual([]);
  expect(await read((tx) => tx.delivery.count())).toBe(0);
});

test("a site asks only for consents with a configured receiver, and its privacy page lists the receivers", async () => {
  expect(offeredPurposes()).toEqual(["NEWSLETTER"]);
  expect(listDataReceivers().map(({ name }) => name)).toEqual([
    "The mail server 127.0.0.1",
    "The newsletter service Kit (127.0.0.1)",
  ]);
  overrideEnv({ KIT_API_KEY: undefined, SMTP_URL: undefined });
  // The site's own newsletter needs only email.
  expect([offeredPurposes(), listDataReceivers()]).toEqual([["NEWSLETTER"], []]);
  overrideSiteConfig({ features: { newsletter: false } });
  expect(offeredPurposes()).toEqual([]);
  const user = await write((tx) => insertUser(tx));
  await write((tx) => grantConsent(tx, user, "NEWSLETTER"));
  expect(await read((tx) => listConsents(tx, user))).toEqual(new Set());
});
