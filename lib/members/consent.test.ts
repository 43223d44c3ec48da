import { afterEach, beforeEach, expect, test } from "vitest";
import { GET, POST } from "#app/unsubscribe/one-click/route.ts";
import { read, write } from "#lib/db/database.ts";
import { closeSmtpTransport } from "#lib/outbound/mail/send-email.ts";
import { runDueDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { insertUser } from "#tests/support/factories.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";
import {
  grantConsent,
  listConsents,
  offeredPurposes,
  signUnsubscribeToken,
  verifyUnsubscribeToken,
  withdrawConsent,
} from "./consent.ts";
import { deleteAccount } from "./delete-account.ts";
import { listDataReceivers } from "./data-receivers.ts";

let smtp: TestSmtpServer;
let requests: string[];
let kit: TestServer;

beforeEach(async () => {
  smtp = await startSmtpServer();
  requests = [];
  kit = await serveHttp((request, response) => {
    request.resume();
    request.on("end", () => {
      requests.push(`${request.method} ${request.url}`);
      response.writeHead(request.url!.endsWith("/unsubscribe") ? 204 : 201, {
        "content-type": "application/json",
      });
      response.end(
        request.url!.endsWith("/unsubscribe") ? "" : JSON.stringify({ subscriber: { id: 4711 } }),
      );
    });
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
    FETCH_ALLOW_PRIVATE: undefined,
  });
});

const insertSubscriber = () =>
  write(async (tx) => {
    const user = insertUser(tx, { email: "ada@example.test" });
    await grantConsent(tx, user, "NEWSLETTER");
    return user;
  });
const findKitId = async (id: string) =>
  (await read((tx) => tx.user.findUnique({ where: { id }, select: { convertKitId: true } })))
    ?.convertKitId;
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
  expect(await findKitId(user.id)).toBe("4711");
  expect(smtp.emails).toHaveLength(1);
  const { headerLines } = smtp.emails[0]!;
  const url = /^List-Unsubscribe: <\s*([^>]+)>/im.exec(headerLines.join("\n"))?.[1];
  expect(headerLines).toContain("List-Unsubscribe-Post: List-Unsubscribe=One-Click");
  expect(verifyUnsubscribeToken(new URL(url!).searchParams.get("token")!)).toBe(user.id);
});

test("one click unsubscribes from the newsletter, and a second one changes nothing", async () => {
  const { id } = await insertSubscriber();
  await runDueDeliveries();
  for (let i = 0; i < 2; i++) expect((await oneClick(signUnsubscribeToken(id))).status).toBe(200);
  await runDueDeliveries();
  expect(requests.slice(2)).toEqual(["POST /subscribers/4711/unsubscribe"]);
  expect(await read((tx) => listConsents(tx, id))).toEqual(new Set());
  expect(await findKitId(id)).toBeNull();
});

test("a forged or damaged link is refused and changes nothing", async () => {
  const { id } = await insertSubscriber();
  const other = await write((tx) => insertUser(tx));
  const [, signature] = signUnsubscribeToken(other.id).split(".");
  for (const token of ["", id, `${id}.`, `${id}.${signature}`, `${id}.${"x".repeat(43)}`, "."])
    expect([token, (await oneClick(token)).status]).toEqual([token, 400]);
  expect(await read((tx) => listConsents(tx, id))).toEqual(new Set(["NEWSLETTER"]));
});

test("opening the one-click address changes nothing and leads to the page", async () => {
  const { id } = await insertSubscriber();
  const token = signUnsubscribeToken(id);
  const response = GET(new Request(`https://example.test/unsubscribe/one-click?token=${token}`));
  expect([response.status, response.headers.get("location")]).toEqual([
    303,
    `/unsubscribe?token=${token}`,
  ]);
  expect(await read((tx) => listConsents(tx, id))).toEqual(new Set(["NEWSLETTER"]));
});

test("a withdrawal before the delivery sends nothing", async () => {
  const { id } = await insertSubscriber();
  await write((tx) => withdrawConsent(tx, id, "NEWSLETTER"));
  await runDueDeliveries();
  expect(requests).toEqual([]);
});

test("a withdrawal while the subscription is being delivered undoes it", async () => {
  const { id } = await insertSubscriber();
  await write((tx) => tx.consent.deleteMany({ where: { userId: id } }));
  await runDueDeliveries();
  await runDueDeliveries();
  expect(requests.at(-1)).toBe("POST /subscribers/4711/unsubscribe");
  expect(await findKitId(id)).toBeNull();
});

test("a deleted account is unsubscribed from the newsletter", async () => {
  const { id } = await insertSubscriber();
  await runDueDeliveries();
  await write((tx) => deleteAccount(tx, id));
  await runDueDeliveries();
  expect(requests.at(-1)).toBe("POST /subscribers/4711/unsubscribe");
});

test("a member of a source site has agreed to nothing, and can leave the list they are on", async () => {
  const { id } = await write(async (tx) => {
    const user = insertUser(tx);
    await tx.user.update({ where: { id: user.id }, data: { convertKitId: "99" } });
    return user;
  });
  expect(await read((tx) => listConsents(tx, id))).toEqual(new Set());
  await write((tx) => withdrawConsent(tx, id, "NEWSLETTER"));
  await runDueDeliveries();
  expect(requests).toEqual(["POST /subscribers/99/unsubscribe"]);
});

test("a site asks only for consents with a configured receiver, and its privacy page lists the receivers", async () => {
  expect(offeredPurposes()).toEqual(["NEWSLETTER"]);
  expect(listDataReceivers().map(({ name }) => name)).toEqual([
    "The mail server 127.0.0.1",
    "The newsletter service Kit (127.0.0.1)",
  ]);
  overrideEnv({ KIT_API_KEY: undefined, SMTP_URL: undefined });
  expect([offeredPurposes(), listDataReceivers()]).toEqual([[], []]);
  const user = await write((tx) => insertUser(tx));
  await write((tx) => grantConsent(tx, user, "NEWSLETTER"));
  expect(await read((tx) => listConsents(tx, user.id))).toEqual(new Set());
});
