import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { isAppError } from "#lib/core/errors.ts";
import { closeSmtpTransport } from "#lib/outbound/mail/send-email.ts";
import { buildLoginEmail, listLoginEmailFailures, sendLoginEmail } from "./login-email.ts";

let smtp: TestSmtpServer;
let lines: string[];
beforeEach(async () => {
  smtp = await startSmtpServer();
  overrideEnv({ SMTP_URL: smtp.url, LOG_LEVEL: "debug" });
  lines = [];
  vi.spyOn(process.stdout, "write").mockImplementation((line) => (lines.push(String(line)), true));
});
afterEach(async () => {
  closeSmtpTransport();
  await smtp.close();
  overrideEnv({ SMTP_URL: undefined, LOG_LEVEL: "error" });
});

const mail = (given: Partial<Parameters<typeof buildLoginEmail>[0]> = {}) =>
  buildLoginEmail({
    to: "ada@example.test",
    token: "t0ken-t0ken-t0ken-t0ke",
    code: "042195",
    expiresAtMs: Date.parse("2026-11-23T10:15:00Z"),
    next: null,
    ...given,
  });
const refusal = (sent: Promise<void>) =>
  sent.then(
    () => null,
    (error: unknown) => (isAppError(error) ? [error.code, error.message] : error),
  );

test("the mail has the link, the code, until when they work, and what to do without having asked", async () => {
  await sendLoginEmail(mail({ next: "/blog/a-post?x=1&y=2" }));
  expect(smtp.emails).toHaveLength(1);
  const { text, html, to } = smtp.emails[0]!;
  expect(to).toEqual(["ada@example.test"]);
  const link =
    "http://localhost:3000/login/confirm?token=t0ken-t0ken-t0ken-t0ke&next=%2Fblog%2Fa-post%3Fx%3D1%26y%3D2";
  expect(text).toContain(`Log in: ${link}\n`);
  expect(text).toContain("\n\n042195\n\n");
  expect(text).toContain("within 15 minutes: until 10:15 UTC");
  expect(text).toContain("If you did not ask for it, do nothing");
  expect(html).toContain(link.replaceAll("&", "&amp;"));
  // Neither secret is in the subject, which phones show while they are locked.
  expect(smtp.emails[0]!.subject).toBe("Log in to Lectern");
});

test("a busy server is asked a second time", async () => {
  smtp.mode = "refuse-once";
  await sendLoginEmail(mail());
  expect([smtp.emails.length, smtp.attemptCount]).toEqual([1, 2]);
  expect(listLoginEmailFailures()).toHaveLength(0);
});

test("a mail whose connections were ended while it waited is sent by a new one", async () => {
  smtp.mode = "hang";
  const sent = Array.from({ length: 5 }, () => sendLoginEmail(mail()));
  await vi.waitFor(() => expect(smtp.attemptCount).toBe(3), 10_000);
  smtp.mode = "ok";
  closeSmtpTransport();
  await Promise.allSettled(sent);
  expect(smtp.emails.length).toBeGreaterThanOrEqual(2);
});

test("a mail that is refused for good is not tried again; who asked is told what to do, the admin why, and no log names the address", async () => {
  smtp.mode = "refuse";
  expect(await refusal(sendLoginEmail(mail({ to: "Ada.Lovelace@Example.test" })))).toEqual([
    "unavailable",
    "The mail server does not take mail for this address. See whether it is right.",
  ]);
  expect(smtp.attemptCount).toBe(1);
  expect(listLoginEmailFailures()[0]?.reason).toMatch(/No such mailbox/);
  expect(lines.join("")).toContain("login.mail_failed");
  for (const text of [lines.join(""), JSON.stringify(listLoginEmailFailures())])
    expect(text).not.toMatch(/lovelace|example\.test|042195|t0ken/i);
});

test("nobody at the port is told as well, and the newest fifty failures are kept", async () => {
  await smtp.close();
  for (let i = 0; i < 52; i++)
    expect(await refusal(sendLoginEmail(mail()))).toEqual([
      "unavailable",
      "Our mail server does not answer. It is not your address: try again in a minute.",
    ]);
  expect(listLoginEmailFailures()).toHaveLength(50);
  expect(listLoginEmailFailures()[0]?.reason).toMatch(/ECONNREFUSED/);
  expect(listLoginEmailFailures()[0]!.atMs).toBeGreaterThanOrEqual(
    listLoginEmailFailures()[49]!.atMs,
  );
});
