import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { isAppError } from "#lib/core/errors.ts";
import { listLocalMailbox } from "./local-mailbox.ts";
import { EMAIL_TIMEOUT_MS, closeSmtpTransport, sendEmail } from "./send-email.ts";

let smtp: TestSmtpServer;
beforeEach(async () => {
  smtp = await startSmtpServer();
  overrideEnv({ SMTP_URL: smtp.url });
});
afterEach(async () => {
  closeSmtpTransport();
  await smtp.close();
  overrideEnv({ SMTP_URL: undefined, MAIL_FROM: undefined });
  overrideSiteConfig();
});

const email = {
  to: "ada@example.test",
  subject: "Hello",
  parts: [
    "A line.",
    { code: "123456" },
    { label: "Open", link: "http://localhost:3000/x?a=1&b=2" },
  ],
};
const failure = (promise: Promise<void>) =>
  promise.then(
    () => null,
    (error: unknown) => error as Error & { retryAfterSeconds?: number },
  );

test("an email arrives as text and HTML", async () => {
  await sendEmail(email);
  expect(smtp.emails).toMatchObject([
    { to: ["ada@example.test"], subject: "Hello", from: `"Lectern" <no-reply@localhost>` },
  ]);
  const { text, html } = smtp.emails[0]!;
  expect(text).toContain("A line.\n\n123456\n\nOpen: http://localhost:3000/x?a=1&b=2\n");
  expect(html).toContain('href="http://localhost:3000/x?a=1&amp;b=2"');
  // Opening the email must not be tracked.
  expect(html).not.toMatch(/<img|<script|url\(|@import/);
});

test("an email has the owner's name and accent", async () => {
  overrideSiteConfig({ name: "Ada’s notebook", accent: { light: "#5b2a86", dark: "#c9a7f5" } });
  await sendEmail(email);
  const { text, html } = smtp.emails[0]!;
  expect(text).toMatch(/Ada’s notebook, http:\/\/localhost:3000\n$/);
  expect(html).toContain("background:#5b2a86");
  expect(text + html).not.toContain("Lectern");
});

test("the sender's name arrives unchanged, whatever it contains", async () => {
  for (const name of ["Lectern: notes", "Notes (draft)", "Foo, Bar; Baz", "Ada @ home"]) {
    overrideSiteConfig({ name });
    await sendEmail(email);
    expect(smtp.emails.at(-1)?.from).toBe(`"${name}" <no-reply@localhost>`);
  }
  for (const from of [
    "Lectern: notes <site@example.test>",
    '"Lectern: notes" <site@example.test>',
  ]) {
    overrideEnv({ MAIL_FROM: from });
    await sendEmail(email);
    expect(smtp.emails.at(-1)?.from).toBe(`"Lectern: notes" <site@example.test>`);
  }
  const escaped = String.raw`"The \"X\" site" <site@example.test>`;
  overrideEnv({ MAIL_FROM: escaped });
  await sendEmail(email);
  expect(smtp.emails.at(-1)?.from).toBe(escaped);
  overrideEnv({ MAIL_FROM: "site@example.test" });
  await sendEmail(email);
  expect(smtp.emails.at(-1)?.from).toBe("site@example.test");
});

test("a subject, a name or an address can't add a header or a recipient", async () => {
  overrideSiteConfig({ name: 'Evil" <x@evil.test>' });
  await sendEmail({ ...email, subject: "Hello\r\nBcc: eve@evil.test\r\n\r\nA separate body" });
  expect(smtp.emails).toHaveLength(1);
  expect(smtp.emails[0]).toMatchObject({ to: ["ada@example.test"] });
  expect(
    smtp.emails[0]?.headerNames
      .filter((name) => ["bcc", "cc", "to", "from", "subject"].includes(name))
      .sort(),
  ).toEqual(["from", "subject", "to"]);
  expect(smtp.emails[0]?.text).toMatch(/^A line\./);

  await failure(sendEmail({ ...email, to: "ada@example.test, eve@evil.test" }));
  await failure(sendEmail({ ...email, to: "ada@example.test>\r\nRCPT TO:<eve@evil.test" }));
  expect(smtp.emails.flatMap(({ to }) => to)).not.toContain("eve@evil.test");
});

test("markup in an email is escaped", async () => {
  await sendEmail({
    ...email,
    parts: [
      '<img src=x onerror="alert(1)">',
      { label: "<b>", link: 'http://localhost:3000/"><script>' },
      { code: "<i>" },
    ],
  });
  expect(smtp.emails[0]?.html).not.toMatch(/<img|<b>|<script|<i>/);
});

test("a refusal has a reason without the address, and Retry-After", async () => {
  smtp.mode = "refuse";
  const error = await failure(sendEmail(email));
  expect(isAppError(error, "unavailable") && error.message).toMatch(
    /^The email was not sent: .*No such mailbox: the address/,
  );
  expect(error?.retryAfterSeconds).toBe(60);
  smtp.mode = "ok";
  await sendEmail(email);
  expect(smtp.emails).toHaveLength(1);
});

test("a closed port fails immediately", async () => {
  await smtp.close();
  const error = await failure(sendEmail(email));
  expect(isAppError(error, "unavailable") && error.message).toMatch(/ECONNREFUSED/);
});

test("a connection to a silent or slow server is closed within the deadline, so that nothing is sent later", async () => {
  const silent = createServer(() => {});
  let isSlowOpen = false;
  const slow = createServer((socket) => {
    isSlowOpen = true;
    socket.on("close", () => (isSlowOpen = false)).write("220 slow\r\n");
    socket.on("data", () => setTimeout(() => socket.write("250 OK\r\n"), 3_000));
  });
  const began = performance.now();
  const errors: Promise<Error | null>[] = [];
  for (const server of [silent, slow]) {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    overrideEnv({ SMTP_URL: `smtp://127.0.0.1:${(server.address() as AddressInfo).port}` });
    errors.push(failure(sendEmail(email)));
    await once(server, "connection");
  }
  for (const error of errors)
    expect(await error).toMatchObject({ code: "unavailable", fault: "server" });
  expect(performance.now() - began).toBeLessThan(EMAIL_TIMEOUT_MS + 5_000);
  await vi.waitFor(() => expect(isSlowOpen).toBe(false), 4_000);
  silent.close();
  slow.close();
  overrideEnv({ SMTP_URL: smtp.url });
  await sendEmail(email);
  expect(smtp.emails).toHaveLength(1);
});

test("a connection to a server that stops responding is aborted within the deadline, while other emails are sent", async () => {
  smtp.mode = "hang";
  const began = performance.now();
  const hanging = failure(sendEmail(email));
  await vi.waitFor(() => expect(smtp.attemptCount).toBe(1), 10_000);
  smtp.mode = "ok";
  const others = setInterval(() => void sendEmail(email), 500);
  expect(isAppError(await hanging, "unavailable")).toBe(true);
  expect(performance.now() - began).toBeLessThan(EMAIL_TIMEOUT_MS + 5_000);
  clearInterval(others);
  await sendEmail(email);
  // Other emails may still be in transit.
  await vi.waitFor(() => expect(smtp.emails.length).toBe(smtp.attemptCount - 1), 10_000);
});

test("without a mail server, emails go to the local mailbox, newest first", async () => {
  overrideEnv({ SMTP_URL: undefined });
  await sendEmail(email);
  expect(listLocalMailbox(10)).toEqual([email]);
  expect(smtp.emails).toEqual([]);
});
