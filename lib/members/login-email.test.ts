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

const email = (overrides: Partial<Parameters<typeof buildLoginEmail>[0]> = {}) =>
  buildLoginEmail({
    to: "ada@example.test",
    token: "t0ken-t0ken-t0ken-t0ke",
    code: "042195",
    expiresAtMs: Date.parse("2026-11-23T10:15:00Z"),
    next: null,
    ...overrides,
  });
const refusal = (sent: Promise<void>) =>
  sent.then(
    () => null,
    (error: unknown) => (isAppError(error) ? [error.code, error.message] : error),
  );

test("the email has the link, the code, their expiry, and advice if you did not request it", async () => {
  await sendLoginEmail(email({ next: "/blog/a-post?x=1&y=2" }));
  expect(smtp.emails).toHaveLength(1);
  const { text, html, to } = smtp.emails[0]!;
  expect(to).toEqual(["ada@example.test"]);
  const link =
    "http://localhost:3000/login/confirm?token=t0ken-t0ken-t0ken-t0ke&next=%2Fblog%2Fa-post%3Fx%3D1%26y%3D2";
  expect(text).toContain(`Log in: ${link}\n`);
  expect(text).toContain("\n\n042195\n\n");
  expect(text).toContain("expire in 15 minutes (at 10:15 UTC)");
  expect(text).toContain("Never share this code");
  expect(html).toContain(link.replaceAll("&", "&amp;"));
  expect(smtp.emails[0]!.subject).toBe("042195 is your Lectern login code");
  expect(smtp.emails[0]!.subject).not.toContain("t0ken");
});

test("a transient failure is retried once", async () => {
  smtp.mode = "refuse-once";
  await sendLoginEmail(email());
  expect([smtp.emails.length, smtp.attemptCount]).toEqual([1, 2]);
  expect(listLoginEmailFailures()).toHaveLength(0);
});

test("an email whose connection closed while it waited is sent over a new one", async () => {
  smtp.mode = "hang";
  const sent = Array.from({ length: 5 }, () => sendLoginEmail(email()));
  await vi.waitFor(() => expect(smtp.attemptCount).toBe(3), 10_000);
  smtp.mode = "ok";
  closeSmtpTransport();
  await vi.waitFor(() => expect(smtp.emails.length).toBeGreaterThanOrEqual(2), 10_000);
  // The others would hang until their timeout.
  await smtp.close();
  await Promise.allSettled(sent);
});

test("a permanent failure is not retried; the user sees what to do, the admin sees why, and no log contains the address", async () => {
  smtp.mode = "refuse";
  expect(await refusal(sendLoginEmail(email({ to: "Ada.Lovelace@Example.test" })))).toEqual([
    "unavailable",
    "We couldn't deliver to this address. Please check it.",
  ]);
  expect(smtp.attemptCount).toBe(1);
  expect(listLoginEmailFailures()[0]?.reason).toMatch(/No such mailbox/);
  expect(lines.join("")).toContain("login.email_failed");
  for (const text of [lines.join(""), JSON.stringify(listLoginEmailFailures())])
    expect(text).not.toMatch(/lovelace|example\.test|042195|t0ken/i);
});

test("a refused connection is also reported, and the last fifty failures are kept", async () => {
  await smtp.close();
  for (let i = 0; i < 52; i++)
    expect(await refusal(sendLoginEmail(email()))).toEqual([
      "unavailable",
      "We can't send email right now. Your address is fine; try again in a minute.",
    ]);
  expect(listLoginEmailFailures()).toHaveLength(50);
  expect(listLoginEmailFailures()[0]?.reason).toMatch(/ECONNREFUSED/);
  expect(listLoginEmailFailures()[0]!.atMs).toBeGreaterThanOrEqual(
    listLoginEmailFailures()[49]!.atMs,
  );
});
