import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { env } from "#lib/core/env.ts";
import { listLocalMailbox, saveToLocalMailbox } from "./local-mailbox.ts";

const mail = (subject: string) => ({
  to: "ada@example.test",
  subject,
  parts: [{ code: "123456" }],
});

test("mails in the folder can be read by this user alone: they hold codes", () => {
  const file = saveToLocalMailbox(mail("Hello"));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
  expect(dirname(file)).toBe(join(env.DATA_DIR, "outbox"));
});

test("the newest come first, also of those that came together", () => {
  for (let i = 0; i < 30; i++) saveToLocalMailbox(mail(`Mail ${i}`));
  expect(listLocalMailbox(3).map(({ subject }) => subject)).toEqual([
    "Mail 29",
    "Mail 28",
    "Mail 27",
  ]);
});

test("the fifty newest are kept, and nothing else in the folder is touched", () => {
  mkdirSync(join(env.DATA_DIR, "outbox"), { recursive: true });
  writeFileSync(join(env.DATA_DIR, "outbox", "notes.txt"), "mine");
  for (let i = 0; i < 60; i++) saveToLocalMailbox(mail(`Mail ${i}`));
  expect(
    readdirSync(join(env.DATA_DIR, "outbox")).filter((name) => name.endsWith(".json")),
  ).toHaveLength(50);
  expect(readdirSync(join(env.DATA_DIR, "outbox"))).toContain("notes.txt");
  expect(listLocalMailbox(100).at(-1)?.subject).toBe("Mail 10");
});

test("without a folder there are no mails", () => {
  expect(listLocalMailbox(10)).toEqual([]);
});
