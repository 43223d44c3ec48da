import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { overrideEnv } from "#tests/database.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/smtp-server.ts";
import { isAppError } from "../base/errors.ts";
import { closeMail } from "../mail/send.ts";
import { loginMail, loginMailFailures, sendLoginMail } from "./login-mail.ts";

let smtp: TestSmtpServer;
let lines: string[];
beforeEach(async () => {
  smtp = await startSmtpServer();
  overrideEnv({ SMTP_URL: smtp.url, LOG_LEVEL: "debug" });
  lines = [];
  vi.spyOn(process.stdout, "write").mockImplementation((line) => (lines.push(String(line)), true));
});
afterEach(async () => {
  closeMail();
  await smtp.close();
  overrideEnv({ SMTP_URL: undefined, LOG_LEVEL: "error" });
});

const mail = (given: Partial<Parameters<typeof loginMail>[0]> = {}) =>
  loginMail({
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
  await sendLoginMail(mail({ next: "/blog/a-post?x=1&y=2" }));
  expect(smtp.mails).toHaveLength(1);
  const { text, html, to } = smtp.mails[0]!;
  expect(to).toEqual(["ada@example.test"]);
  const link =
    "http://localhost:3000/login/confirm?token=t0ken-t0ken-t0ken-t0ke&next=%2Fblog%2Fa-post%3Fx%3D1%26y%3D2";
  expect(text).toContain(`Log in: ${link}\n`);
  expect(text).toContain("\n\n042195\n\n");
  expect(text).toContain("within 15 minutes: until 10:15 UTC");
  expect(text).toContain("If you did not ask for it, do nothing");
  expect(html).toContain(link.replaceAll("&", "&amp;"));
  // Neither secret is in the subject, which phones show while they are locked.
  expect(smtp.mails[0]!.subject).toBe("Log in to Lectern");
});

test("a busy server is asked a second time", async () => {
  smtp.mode = "refuse-once";
  await sendLoginMail(mail());
  expect([smtp.mails.length, smtp.attempts]).toEqual([1, 2]);
  expect(loginMailFailures()).toHaveLength(0);
});

test("a mail whose connections were ended while it waited is sent by a new one", async () => {
  smtp.mode = "hang";
  const sent = Array.from({ length: 5 }, () => sendLoginMail(mail()));
  await vi.waitFor(() => expect(smtp.attempts).toBe(3), 10_000);
  smtp.mode = "ok";
  closeMail();
  await Promise.allSettled(sent);
  expect(smtp.mails.length).toBeGreaterThanOrEqual(2);
});

test("a mail that is refused for good is not tried again; who asked is told what to do, the admin why, and no log names the address", async () => {
  smtp.mode = "refuse";
  expect(await refusal(sendLoginMail(mail({ to: "Ada.Lovelace@Example.test" })))).toEqual([
    "unavailable",
    "The mail server does not take mail for this address. See whether it is right.",
  ]);
  expect(smtp.attempts).toBe(1);
  expect(loginMailFailures()[0]?.reason).toMatch(/No such mailbox/);
  expect(lines.join("")).toContain("login.mail_failed");
  for (const text of [lines.join(""), JSON.stringify(loginMailFailures())])
    expect(text).not.toMatch(/lovelace|example\.test|042195|t0ken/i);
});

test("nobody at the port is told as well, and the newest fifty failures are kept", async () => {
  await smtp.close();
  for (let i = 0; i < 52; i++)
    expect(await refusal(sendLoginMail(mail()))).toEqual([
      "unavailable",
      "Our mail server does not answer. It is not your address: try again in a minute.",
    ]);
  expect(loginMailFailures()).toHaveLength(50);
  expect(loginMailFailures()[0]?.reason).toMatch(/ECONNREFUSED/);
  expect(loginMailFailures()[0]!.atMs).toBeGreaterThanOrEqual(loginMailFailures()[49]!.atMs);
});
