import { spawn } from "node:child_process";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HOUR_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { closeDatabase, read, write } from "#lib/db/database.ts";
import { subscribe, unsubscribe } from "#lib/members/subscribers.ts";
import { verifyUnsubscribeToken } from "#lib/members/subscription-token.ts";
import { listLocalMailbox } from "#lib/outbound/mail/local-mailbox.ts";
import { SmtpSession } from "#lib/outbound/mail/smtp-session.ts";
import { execute, selectRows } from "#tests/support/database.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { seededRandom } from "#tests/support/random.ts";
import { type SmtpStep, type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { sendDueIssues } from "./send-issues.ts";
import { insertRecipients } from "./start-issue.sql.ts";

let smtp: TestSmtpServer;
beforeEach(async () => {
  smtp = await startSmtpServer();
  overrideEnv({ SMTP_URL: smtp.url, NEWSLETTER_PER_MINUTE: "100000" });
});
afterEach(async () => {
  await smtp.close();
  overrideEnv({ SMTP_URL: undefined, NEWSLETTER_PER_MINUTE: undefined });
});

/** Inserts an issue that is being sent to `count` subscribers, and returns its ID. */
const startIssueTo = (count: number) =>
  write(async (tx) => {
    for (let i = 0; i < count; i += 1)
      await tx.subscriber.create({
        data: { id: `s${i}`, email: `r${i}@example.test`, subscribedAt: new Date(nowMs()) },
      });
    const { id } = await tx.newsletterIssue.create({
      data: {
        createdAt: new Date(nowMs()),
        postSlug: "a-post",
        subject: "News",
        intro: "Hello.",
        html: "<h1>News</h1>",
        text: "News",
        state: "SENDING",
      },
    });
    const recipientCount = insertRecipients(tx, { issueId: id, topics: [], nowMs: nowMs() });
    await tx.newsletterIssue.update({ where: { id }, data: { recipientCount } });
    return id;
  });
const deliveries = () =>
  selectRows<{ subscriberId: string; state: string; tries: number; error: string | null }>(
    `SELECT "subscriberId", "state", "tries", "error" FROM "NewsletterDelivery" ORDER BY 1`,
  );
const findIssue = () => read((tx) => tx.newsletterIssue.findFirst());
const received = () => smtp.emails.map(({ to }) => to[0]!).sort();
/** Suppresses the log. */
const quiet = () => vi.spyOn(process.stdout, "write").mockReturnValue(true);

test("each subscriber gets one email, with their own link to unsubscribe", async () => {
  await startIssueTo(5);
  await sendDueIssues();
  await sendDueIssues();
  expect(received()).toEqual([0, 1, 2, 3, 4].map((i) => `r${i}@example.test`));
  expect(await findIssue()).toMatchObject({ state: "SENT", recipientCount: 5, sentCount: 5 });
  expect(await deliveries()).toEqual([]);
  for (const { headerLines, to, text, html } of smtp.emails) {
    const header = (name: string) =>
      headerLines.find((line) => line.toLowerCase().startsWith(`${name}:`));
    const url = /<([^>]+)>/.exec(header("list-unsubscribe")!)![1]!.trim();
    const subscriberId = to[0]!.replace(/^r(\d+)@.*/, "s$1");
    const token = new URL(url).searchParams.get("token")!;
    expect(verifyUnsubscribeToken(token)).toEqual({ subscriberId });
    expect(header("list-unsubscribe-post")).toContain("List-Unsubscribe=One-Click");
    expect(header("message-id")).toContain(`.${subscriberId}@localhost>`);
    expect(header("list-id")).toContain("<newsletter.localhost>");
    expect(text).toContain("Hello.\n\nNews\n\n");
    expect(html).toContain("<h1>News</h1>");
    expect(html).toContain("prefers-color-scheme:dark");
    for (const part of [text, html]) expect(part).toContain(`/unsubscribe?token=${token}`);
  }
});

test("a subject, an intro or an address adds no header and no recipient", async () => {
  const id = await startIssueTo(0);
  const evil = "x\r\nBcc: eve@evil.test\r\n\r\n<script>alert(1)</script>";
  await write(async (tx) => {
    await tx.newsletterIssue.update({ where: { id }, data: { subject: evil, intro: evil } });
    await tx.subscriber.create({
      data: {
        id: "evil",
        email: `"a>\r\nRCPT TO:<eve@evil.test>"@example.test`,
        subscribedAt: new Date(nowMs()),
      },
    });
    await subscribe(tx, { email: "ada@example.test" });
    insertRecipients(tx, { issueId: id, topics: [], nowMs: nowMs() });
  });
  quiet();
  await sendDueIssues();
  expect(received().filter((to) => to.includes("evil.test"))).toEqual([]);
  for (const { headerNames, html } of smtp.emails) {
    expect(headerNames).not.toContain("bcc");
    expect(html).not.toContain("<script");
  }
  expect(received()).toContain("ada@example.test");
});

test("someone who unsubscribes before their turn gets nothing, and the issue ends", async () => {
  await startIssueTo(3);
  smtp.onStep = (step) => {
    if (step !== "recipient" || smtp.attemptCount > 1) return;
    void write((tx) => unsubscribe(tx, "r2@example.test"));
  };
  await write((tx) => tx.subscriber.deleteMany({ where: { id: "s1" } }));
  await sendDueIssues();
  expect(received()).toEqual(["r0@example.test"]);
  expect(await findIssue()).toMatchObject({ state: "SENT", recipientCount: 3, sentCount: 1 });
});

test("a refusal is final or retried later, as the server says, and the reason has no address", async () => {
  await startIssueTo(4);
  quiet();
  setClock(nowMs());
  smtp.onStep = (step, _disconnect, to) => {
    if (step === "recipient" && to.startsWith("r0"))
      return "550 5.1.1 No such mailbox r0@example.test";
    if (step === "recipient" && to.startsWith("r1")) return "450 4.2.0 Greylisted";
    if (step === "message" && to.startsWith("r2")) return "554 5.7.1 Spam";
  };
  await sendDueIssues();
  expect(await deliveries()).toMatchObject([
    { subscriberId: "s0", state: "FAILED", error: expect.stringContaining("550") as string },
    { subscriberId: "s1", state: "PENDING", tries: 1 },
    { subscriberId: "s2", state: "FAILED", error: expect.stringContaining("554") as string },
    { subscriberId: "s3", state: "SENT", tries: 1 },
  ]);
  expect(JSON.stringify(await deliveries())).not.toContain("@example.test");
  const { attemptCount } = smtp;
  await sendDueIssues();
  expect(smtp.attemptCount).toBe(attemptCount);
  for (let tries = 1; tries <= 6; tries += 1) {
    setClock(nowMs() + 7 * HOUR_MS);
    await sendDueIssues();
  }
  expect(await findIssue()).toMatchObject({ state: "SENT", sentCount: 1 });
  expect((await deliveries()).map(({ state }) => state)).toEqual(["FAILED", "FAILED", "FAILED"]);
});

test("a lost reply is uncertain and never sent again; a connection lost before the message is not", async () => {
  await startIssueTo(4);
  quiet();
  const lost = new Set<string>();
  smtp.onStep = (step, disconnect, to) => {
    const isFirst = !lost.has(to);
    const breaksAt: Partial<Record<SmtpStep, string>> = {
      recipient: "r0",
      data: "r1",
      message: "r2",
    };
    if (!isFirst || !breaksAt[step] || !to.startsWith(breaksAt[step])) return;
    lost.add(to);
    disconnect();
    // The server keeps r2's message.
  };
  for (let run = 0; run < 4; run += 1) await sendDueIssues();
  const rows = await deliveries();
  expect(rows.find(({ subscriberId }) => subscriberId === "s2")).toMatchObject({
    state: "UNCERTAIN",
  });
  expect(received()).toEqual([0, 1, 2, 3].map((i) => `r${i}@example.test`));
});

test("a session continues after a message that could not be recorded, or whose connection broke in the meantime", async () => {
  const session = new SmtpSession(smtp.url);
  const send = (beforeMessage: () => Promise<boolean>) =>
    session.send({
      from: "site@example.test",
      to: "r0@example.test",
      message: Buffer.from("Subject: News\r\n\r\nHello."),
      beforeMessage,
    });
  await expect(send(() => Promise.reject(new Error("full")))).rejects.toThrow("full");
  let breakConnection = () => {};
  smtp.onStep = (step, disconnect) => {
    if (step === "data") breakConnection = disconnect;
  };
  // It is recorded as being sent, but was not sent: it must be tried again.
  const result = await send(async () => {
    breakConnection();
    await sleep(100);
    // After a pause of the machine, timers fire before Node reads the end of the connection.
    for (let turn = 0; turn < 5; turn += 1) await new Promise(setImmediate);
    return true;
  });
  expect(result).toMatchObject({ outcome: "refused", isPermanent: false });
  expect(await send(() => Promise.resolve(true))).toEqual({ outcome: "accepted" });
  expect(received()).toEqual(["r0@example.test"]);
  session.close();
});

test("an address with a Unicode domain is sent as ASCII, and to a server that offers no login", async () => {
  await startIssueTo(1);
  await write((tx) => tx.subscriber.updateMany({ data: { email: "ada@bücher.test" } }));
  quiet();
  // The other test server decodes domains.
  const commands: string[] = [];
  const server = createServer((socket) => {
    socket.write("220 Hello\r\n");
    socket.on("data", (data) => {
      commands.push(String(data));
      socket.write(`${commands.at(-1) === "DATA\r\n" ? 354 : 250} OK\r\n`);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  overrideEnv({ SMTP_URL: `smtp://user:secret@127.0.0.1:${port}` });
  await sendDueIssues();
  expect(commands).toContain("RCPT TO:<ada@xn--bcher-kva.test>\r\n");
  server.close();
});

test("while the server can't be reached, the issue says why and nothing is lost", async () => {
  await startIssueTo(2);
  quiet();
  overrideEnv({ SMTP_URL: "smtp://127.0.0.1:1" });
  await sendDueIssues();
  expect(await findIssue()).toMatchObject({
    state: "SENDING",
    problem: expect.stringContaining("ECONNREFUSED") as string,
  });
  expect((await deliveries()).map(({ state, tries }) => [state, tries])).toEqual([
    ["PENDING", 0],
    ["PENDING", 0],
  ]);
  overrideEnv({ SMTP_URL: smtp.url });
  await sendDueIssues();
  expect(await findIssue()).toMatchObject({ state: "SENT", problem: null, sentCount: 2 });
});

test("a message of a stopped issue that is refused for now is retried only if it is resumed", async () => {
  await startIssueTo(1);
  quiet();
  smtp.onStep = (step) => {
    if (step !== "message") return;
    void write((tx) => tx.newsletterIssue.updateMany({ data: { state: "CANCELED" } }));
    return "451 Try later";
  };
  await sendDueIssues();
  setClock(nowMs() + HOUR_MS);
  await sendDueIssues();
  expect(await deliveries()).toMatchObject([{ state: "PENDING", tries: 1 }]);
});

test("a message that a killed sender left in flight is uncertain, also if its issue was canceled", async () => {
  await startIssueTo(1);
  quiet();
  await write(async (tx) => {
    await tx.newsletterDelivery.updateMany({ data: { state: "SENDING" } });
    await tx.newsletterIssue.updateMany({ data: { state: "CANCELED" } });
  });
  await sendDueIssues();
  expect(await deliveries()).toMatchObject([{ state: "UNCERTAIN" }]);
  expect(await findIssue()).toMatchObject({ state: "CANCELED" });
});

test("a run that fails waits for the message in flight, and starts no other", async () => {
  await startIssueTo(6);
  quiet();
  await execute(
    `CREATE TRIGGER "fault" BEFORE UPDATE ON "NewsletterDelivery" WHEN NEW."subscriberId" = 's1' BEGIN SELECT RAISE(ABORT, 'fault'); END`,
  );
  // The first message stays in flight until the second delivery has failed.
  let arrive: () => void;
  const arrival = new Promise<void>((resolve) => (arrive = resolve));
  smtp.onStep = (step, _disconnect, to) => {
    if (step === "recipient" && to.startsWith("r1")) arrive();
  };
  smtp.holdMessage = () => arrival.then(() => sleep(300));
  await expect(sendDueIssues()).rejects.toThrow();
  expect(received()).toEqual(["r0@example.test"]);
  expect((await deliveries()).map(({ state }) => state)).toEqual([
    "SENT",
    ...Array.from({ length: 5 }, () => "PENDING"),
  ]);
});

test("without a mail server, the emails are in the local mailbox", async () => {
  overrideEnv({ SMTP_URL: undefined });
  await startIssueTo(2);
  await sendDueIssues();
  expect(
    listLocalMailbox(9)
      .map(({ to }) => to)
      .sort(),
  ).toEqual(["r0@example.test", "r1@example.test"]);
  expect(await findIssue()).toMatchObject({ state: "SENT" });
});

const STEPS = ["mail", "recipient", "data", "message", "accepted"] as const;

/** Runs the sender in another process until it ends or is killed. */
async function runSender(
  kill: (stop: () => void) => void,
): Promise<NodeJS.Signals | number | null> {
  const child = spawn(process.execPath, ["tests/support/newsletter-sender.ts"], {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, LOG_LEVEL: "error" },
  });
  kill(() => child.kill("SIGKILL"));
  const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
  return signal ?? code;
}

test("a sender killed at any step and restarted sends no one two emails and misses no one, except where SMTP can't tell", async () => {
  const count = 60;
  await startIssueTo(count);
  await closeDatabase();
  const random = seededRandom(55);
  let kills = 0;
  for (;;) {
    // At each step once, each time after a random number of emails.
    const step = STEPS[kills];
    let left = Math.floor(random() * 10);
    const ended = await runSender((kill) => {
      smtp.onStep = (name) => {
        if (name === step && left-- === 0) kill();
      };
    });
    smtp.onStep = null;
    if (ended === 0) break;
    expect(ended).toBe("SIGKILL");
    kills += 1;
  }
  expect(kills).toBe(STEPS.length);
  const uncertain = (await deliveries()).map(({ state, subscriberId }) => {
    expect(state).toBe("UNCERTAIN");
    return `r${subscriberId.slice(1)}@example.test`;
  });
  const all = Array.from({ length: count }, (_, i) => `r${i}@example.test`);
  expect(received(), "no one gets two").toEqual([...new Set(received())].sort());
  expect(
    all.filter((to) => !received().includes(to) && !uncertain.includes(to)),
    "no one is missed",
  ).toEqual([]);
  // Two connections, and two kills before any message could leave.
  expect(uncertain.length).toBeLessThanOrEqual(2 * kills);
  const sentCount = (await findIssue())!.sentCount;
  expect(sentCount + uncertain.length).toBe(count);
}, 120_000);
