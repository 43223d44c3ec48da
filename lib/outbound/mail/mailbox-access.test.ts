import { afterEach, expect, test, vi } from "vitest";
import { resetSingleton } from "#lib/core/singleton.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { announceMailbox, canReadMailbox, mailboxUrl } from "./mailbox-access.ts";

afterEach(() => overrideEnv({ NODE_ENV: "test", SITE_URL: undefined, SMTP_URL: undefined }));

const secretOf = (url: string) => url.split("/").at(-1)!;

test("the mailbox opens only with the secret in its address, in every mode", () => {
  for (const NODE_ENV of ["development", "production"])
    for (const SITE_URL of [undefined, "https://lectern.example"]) {
      overrideEnv({ NODE_ENV, SITE_URL });
      const secret = secretOf(mailboxUrl());
      expect(mailboxUrl()).toBe(`${SITE_URL ?? "http://localhost:3000"}/dev/mail/${secret}`);
      expect(secret).toMatch(/^[\w-]{22}$/);
      expect(canReadMailbox(secret)).toBe(true);
      for (const wrong of ["", "mail", secret.slice(1), `${secret}x`, "x".repeat(10_000), "é"])
        expect(canReadMailbox(wrong), wrong.slice(0, 50)).toBe(false);
    }
});

test("with a mail server there is no mailbox", () => {
  const secret = secretOf(mailboxUrl());
  overrideEnv({ SMTP_URL: "smtp://127.0.0.1:25" });
  expect(canReadMailbox(secret)).toBe(false);
});

test("each start has another secret, which only the terminal tells", () => {
  const first = mailboxUrl();
  resetSingleton("mailbox-secret");
  expect(mailboxUrl()).not.toBe(first);
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  announceMailbox();
  overrideEnv({ SMTP_URL: "smtp://127.0.0.1:25" });
  announceMailbox();
  expect(write.mock.calls.map(([text]) => String(text))).toEqual([
    expect.stringContaining(mailboxUrl()),
  ]);
});
