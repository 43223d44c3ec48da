import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { execute } from "#tests/support/database.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { insertUser } from "#tests/support/factories.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";
import { closeSmtpTransport } from "#lib/outbound/mail/send-email.ts";
import { resetSingleton } from "#lib/core/singleton.ts";
import { runDueDeliveries, enqueueDelivery, listDeliveries } from "./outbox.ts";
import { discardDelivery, retryPendingDelivery } from "./manage-deliveries.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");
const mailTo = (to: string) =>
  ({ kind: "MAIL", mail: { to, subject: "Published", parts: ["Your call is out."] } }) as const;

let smtp: TestSmtpServer;
const servers: TestServer[] = [];
beforeEach(async () => {
  smtp = await startSmtpServer();
  overrideEnv({ SMTP_URL: smtp.url, LOG_LEVEL: "warn" });
  setClock(NOW);
});
afterEach(async () => {
  closeSmtpTransport();
  await smtp.close();
  await Promise.all(servers.splice(0).map((server) => server.close()));
  overrideEnv({
    SMTP_URL: undefined,
    LOG_LEVEL: "error",
    KIT_API_KEY: undefined,
    KIT_FORM_ID: undefined,
    KIT_API: undefined,
    DISCORD_WEBHOOK_URL: undefined,
    FETCH_ALLOW_PRIVATE: undefined,
    REPLICATION: undefined,
  });
});

/** Starts capturing the log. */
function captureLog(): () => string {
  const spy = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  return () => spy.mock.calls.map(([line]) => String(line)).join("");
}

interface Taken {
  readonly path: string;
  readonly headers: Record<string, unknown>;
  readonly body: unknown;
}
/** Starts a local fake of Kit or Discord that responds with `answer`. */
async function outside(
  answer: (path: string) => { status: number; body?: unknown },
): Promise<{ origin: string; taken: Taken[] }> {
  const taken: Taken[] = [];
  const server = await serveHttp((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      taken.push({
        path: `${request.method} ${request.url}`,
        headers: request.headers,
        body: JSON.parse(Buffer.concat(chunks).toString()),
      });
      const { status, body } = answer(request.url ?? "");
      response
        .writeHead(status, { "content-type": "application/json" })
        .end(body === undefined ? undefined : JSON.stringify(body));
    });
  });
  servers.push(server);
  overrideEnv({ FETCH_ALLOW_PRIVATE: server.hostAndPort });
  return { origin: server.origin, taken };
}

const waiting = () => read((tx) => listDeliveries(tx));
const put = (fn: (tx: Tx) => Promise<unknown>) => write(fn);

test("a delivery is sent once, after its transaction, and then deleted", async () => {
  await put((tx) =>
    enqueueDelivery(tx, mailTo("ada@example.test"), { userId: null, about: "call published" }),
  );
  expect(await waiting()).toMatchObject([
    { kind: "MAIL", about: "call published", tries: 0, lastError: null },
  ]);
  await runDueDeliveries();
  expect(smtp.emails).toMatchObject([{ to: ["ada@example.test"], subject: "Published" }]);
  expect(await waiting()).toEqual([]);
  await runDueDeliveries();
  expect(smtp.attemptCount).toBe(1);
});

test("a transaction that rolls back sends nothing", async () => {
  const failing = put(async (tx) => {
    await enqueueDelivery(tx, mailTo("ada@example.test"), {
      userId: null,
      about: "call published",
    });
    throw new TypeError("undone");
  });
  await expect(failing).rejects.toThrow("undone");
  await runDueDeliveries();
  expect(smtp.attemptCount).toBe(0);
});

test("a failing delivery is retried with delays, given up, and retried by an admin", async () => {
  const readLog = captureLog();
  smtp.mode = "refuse";
  await put((tx) =>
    enqueueDelivery(tx, mailTo("ada@example.test"), { userId: null, about: "call published" }),
  );
  const waits: number[] = [];
  for (let tries = 1; tries <= 8; tries++) {
    await runDueDeliveries();
    expect(smtp.attemptCount).toBe(tries);
    const [delivery] = await waiting();
    expect(delivery).toMatchObject({
      tries,
      lastError: expect.stringContaining("The email was not sent: ") as string,
    });
    if (delivery!.nextTryAt === null) break;
    waits.push(Math.round((delivery!.nextTryAt.getTime() - nowMs()) / MINUTE_MS));
    // Not before that.
    setClock(delivery!.nextTryAt.getTime() - 30 * SECOND_MS);
    await runDueDeliveries();
    expect(smtp.attemptCount).toBe(tries);
    setClock(delivery!.nextTryAt.getTime());
  }
  expect(waits).toEqual([1, 5, 30, 120, 360, 720, 1_440]);
  const [abandoned] = await waiting();
  expect(abandoned).toMatchObject({ tries: 8, nextTryAt: null });
  setClock(nowMs() + 30 * DAY_MS);
  await runDueDeliveries();
  expect(smtp.attemptCount).toBe(8);

  // The reason contains no email address.
  expect(JSON.stringify(await waiting()) + readLog()).not.toContain("ada@example.test");
  smtp.mode = "ok";
  await write((tx) => retryPendingDelivery(tx, "root", abandoned!.id));
  await runDueDeliveries();
  expect(smtp.emails).toHaveLength(1);
  expect(await waiting()).toEqual([]);
});

const putUnconfirmed = (address: string) =>
  put((tx) =>
    enqueueDelivery(
      tx,
      { ...mailTo(address), isUnconfirmed: true },
      { userId: null, about: "Subscription request" },
    ),
  );

test("a delivery to an unconfirmed address that the mail server refuses is deleted", async () => {
  smtp.mode = "refuse";
  await putUnconfirmed("nobody@example.test");
  await runDueDeliveries();
  expect(await waiting()).toEqual([]);
});

test("a delivery to an unconfirmed address is retried if the mail server is busy", async () => {
  captureLog();
  smtp.mode = "refuse-once";
  await putUnconfirmed("ada@example.test");
  await runDueDeliveries();
  expect(await waiting()).toMatchObject([{ tries: 1 }]);
  setClock(nowMs() + MINUTE_MS);
  await runDueDeliveries();
  expect(smtp.emails).toHaveLength(1);
});

test("a delivery to an unconfirmed address is deleted after the last retry", async () => {
  const readLog = captureLog();
  smtp.onStep = (step) => (step === "recipient" ? "451 Busy" : undefined);
  await putUnconfirmed("ada@example.test");
  for (let tries = 1; tries <= 7; tries++) {
    await runDueDeliveries();
    const [delivery] = await waiting();
    expect(delivery?.tries).toBe(tries);
    setClock(delivery!.nextTryAt!.getTime());
  }
  expect(nowMs() - NOW).toBeLessThan(2 * DAY_MS);
  await runDueDeliveries();
  expect(smtp.attemptCount).toBe(8);
  expect(await waiting()).toEqual([]);
  expect(readLog()).toContain('"level":"error","event":"outbox.failed"');
});

test("a delivery to an unconfirmed address is deleted after the last retry even if the local mailbox failed", async () => {
  captureLog();
  overrideEnv({ SMTP_URL: undefined });
  writeFileSync(join(env.DATA_DIR, "outbox"), "not a folder");
  await putUnconfirmed("ada@example.test");
  await runDueDeliveries();
  expect(await waiting()).toMatchObject([{ tries: 1 }]);
  await execute(`UPDATE "Delivery" SET "tries" = 7, "nextTryAt" = ?`, NOW);
  await runDueDeliveries();
  expect(await waiting()).toEqual([]);
});

test("a discarded delivery is not sent", async () => {
  await put((tx) =>
    enqueueDelivery(tx, mailTo("ada@example.test"), { userId: null, about: "call published" }),
  );
  const [delivery] = await waiting();
  await write((tx) => discardDelivery(tx, "root", delivery!.id));
  await runDueDeliveries();
  expect(smtp.attemptCount).toBe(0);
});

test("a failing delivery does not block others", async () => {
  const readLog = captureLog();
  await put(async (tx) => {
    const now = new Date(NOW);
    await tx.delivery.create({
      data: { createdAt: now, kind: "MAIL", about: "broken", payload: "{", nextTryAt: now },
    });
    for (let i = 0; i < 45; i++)
      await enqueueDelivery(tx, mailTo(`${i}@example.test`), { userId: null, about: "many" });
  });
  await runDueDeliveries();
  expect(smtp.emails).toHaveLength(45);
  expect(await waiting()).toMatchObject([{ about: "broken", tries: 1 }]);
  expect(readLog()).toContain("outbox.failed");
});

test("only one of two concurrent runs sends, even across processes", async () => {
  await put((tx) =>
    enqueueDelivery(tx, mailTo("ada@example.test"), { userId: null, about: "call published" }),
  );
  await Promise.all([runDueDeliveries(), runDueDeliveries()]);
  expect(smtp.attemptCount).toBe(1);
  await put((tx) =>
    enqueueDelivery(tx, mailTo("ada@example.test"), { userId: null, about: "call published" }),
  );
  const first = runDueDeliveries();
  // Like another process: separate memory, the same table.
  resetSingleton("outbox");
  await Promise.all([first, runDueDeliveries()]);
  expect(smtp.attemptCount).toBe(2);
});

test("a crashed process's delivery is claimed again after its lease expires", async () => {
  await put((tx) =>
    enqueueDelivery(tx, mailTo("ada@example.test"), { userId: null, about: "call published" }),
  );
  await put((tx) =>
    tx.delivery.updateMany({ data: { tries: 1, nextTryAt: new Date(NOW + 2 * MINUTE_MS) } }),
  );
  await runDueDeliveries();
  expect(smtp.attemptCount).toBe(0);
  setClock(NOW + 2 * MINUTE_MS);
  await runDueDeliveries();
  expect(smtp.emails).toHaveLength(1);
});

test("a delivery enqueued during a run is sent by it", async () => {
  await put((tx) =>
    enqueueDelivery(tx, mailTo("one@example.test"), { userId: null, about: "one" }),
  );
  const run = runDueDeliveries();
  await put((tx) =>
    enqueueDelivery(tx, mailTo("two@example.test"), { userId: null, about: "two" }),
  );
  void runDueDeliveries();
  await run;
  expect(smtp.emails.map(({ to }) => to[0]).sort()).toEqual([
    "one@example.test",
    "two@example.test",
  ]);
});

test("pending deliveries are deleted with their account", async () => {
  const { id } = await write((tx) => insertUser(tx));
  await put((tx) =>
    enqueueDelivery(tx, mailTo("ada@example.test"), { userId: id, about: "call published" }),
  );
  await put((tx) => tx.user.delete({ where: { id } }));
  expect(await waiting()).toEqual([]);
});

test("only the primary delivers", async () => {
  await put((tx) =>
    enqueueDelivery(tx, mailTo("ada@example.test"), { userId: null, about: "call published" }),
  );
  overrideEnv({ REPLICATION: "on" });
  await runDueDeliveries();
  expect(smtp.attemptCount).toBe(0);
  expect(await waiting()).toMatchObject([{ tries: 0 }]);
});

/** Adds a subscriber whom Kit does not know yet. */
const enqueueSubscription = () =>
  put(async (tx) => {
    const email = "ada@example.test";
    await tx.subscriber.create({ data: { id: "ada", email, subscribedAt: new Date(NOW) } });
    await enqueueDelivery(
      tx,
      { kind: "NEWSLETTER", email, firstName: "Ada" },
      { userId: null, about: "sign-up" },
    );
  });

test("a subscriber is added to Kit, and their ID there is stored", async () => {
  const { origin, taken } = await outside((path) =>
    path === "/v4/subscribers"
      ? { status: 201, body: { subscriber: { id: 4711, state: "active" } } }
      : { status: 201, body: {} },
  );
  overrideEnv({ KIT_API_KEY: "kit-secret", KIT_FORM_ID: "77", KIT_API: `${origin}/v4` });
  await enqueueSubscription();
  await runDueDeliveries();
  expect(taken).toMatchObject([
    {
      path: "POST /v4/subscribers",
      headers: { "x-kit-api-key": "kit-secret", "content-type": "application/json" },
      body: { email_address: "ada@example.test", first_name: "Ada" },
    },
    {
      path: "POST /v4/forms/77/subscribers/4711",
      headers: { "x-kit-api-key": "kit-secret" },
      body: {},
    },
  ]);
  expect(await read((tx) => tx.subscriber.findFirst())).toMatchObject({ kitId: "4711" });
  expect(await waiting()).toEqual([]);
});

test.each([
  [
    { status: 401, body: { errors: ["The API key is not right"] } },
    /^127\.0\.0\.1:\d+ responded with 401\.$/,
  ],
  [
    { status: 201, body: { subscriber: { id: "seven" } } },
    /^Kit responded without a subscriber\.$/,
  ],
  [{ status: 302 }, /^127\.0\.0\.1:\d+ responded with 302\.$/],
  [{ status: 500 }, /^127\.0\.0\.1:\d+ responded with 500\.$/],
])(
  "a newsletter that responds with %j is retried, and nothing is stored",
  async (answer, reason) => {
    const readLog = captureLog();
    const { origin } = await outside(() => answer);
    overrideEnv({ KIT_API_KEY: "kit-secret", KIT_FORM_ID: "77", KIT_API: origin });
    await enqueueSubscription();
    await runDueDeliveries();
    expect((await waiting())[0]?.lastError).toMatch(reason);
    expect(await read((tx) => tx.subscriber.findFirst())).toMatchObject({ kitId: null });
    expect(readLog()).not.toMatch(/kit-secret|ada@example/);
  },
);

test("a webhook pings no one, and errors and logs don't contain its URL", async () => {
  const readLog = captureLog();
  let status = 404;
  const { origin, taken } = await outside(() => ({ status }));
  overrideEnv({ DISCORD_WEBHOOK_URL: `${origin}/api/webhooks/1/very-secret` });
  await put((tx) =>
    enqueueDelivery(
      tx,
      { kind: "DISCORD", text: `@everyone ${"x".repeat(3_000)}` },
      { userId: null, about: "new member" },
    ),
  );
  await runDueDeliveries();
  expect((await waiting())[0]?.lastError).toMatch(/^127\.0\.0\.1:\d+ responded with 404\.$/);
  status = 204;
  setClock(NOW + HOUR_MS);
  await runDueDeliveries();
  expect(taken.map(({ path }) => path)).toEqual(Array(2).fill("POST /api/webhooks/1/very-secret"));
  const { content, allowed_mentions } = taken[1]!.body as {
    content: string;
    allowed_mentions: unknown;
  };
  expect(content).toHaveLength(1_900);
  expect(allowed_mentions).toEqual({ parse: [] });

  // A closed port; a private address; a removed setting.
  await put((tx) =>
    enqueueDelivery(tx, { kind: "DISCORD", text: "Hello" }, { userId: null, about: "new member" }),
  );
  await servers.splice(0)[0]?.close();
  await runDueDeliveries();
  expect((await waiting())[0]?.lastError).toBe("127.0.0.1 refused the connection.");
  overrideEnv({ FETCH_ALLOW_PRIVATE: undefined });
  setClock(nowMs() + HOUR_MS);
  await runDueDeliveries();
  expect((await waiting())[0]?.lastError).toMatch(
    /^Only ports 80 and 443 can be fetched|is not a public address\.$/,
  );
  overrideEnv({ DISCORD_WEBHOOK_URL: undefined });
  setClock(nowMs() + HOUR_MS);
  await runDueDeliveries();
  expect((await waiting())[0]?.lastError).toBe("DISCORD_WEBHOOK_URL is no longer set.");
  expect(readLog()).not.toContain("very-secret");
});

test("a delivery without a configured receiver is not enqueued", async () => {
  const user = await write((tx) => insertUser(tx));
  await put(async (tx) => {
    await enqueueDelivery(
      tx,
      { kind: "NEWSLETTER", email: "ada@example.test", firstName: "Ada" },
      { userId: user.id, about: "sign-up" },
    );
    await enqueueDelivery(
      tx,
      { kind: "DISCORD", text: "Hello" },
      { userId: user.id, about: "sign-up" },
    );
  });
  expect(await read((tx) => tx.delivery.count())).toBe(0);
});

test("a run without due deliveries writes nothing", async () => {
  await execute(
    `CREATE TRIGGER "written" BEFORE UPDATE ON "Delivery" BEGIN SELECT RAISE(ABORT, 'written'); END`,
  );
  await put((tx) =>
    enqueueDelivery(tx, mailTo("ada@example.test"), { userId: null, about: "later" }),
  );
  setClock(NOW - MINUTE_MS);
  await runDueDeliveries();
  expect(await waiting()).toHaveLength(1);
});
