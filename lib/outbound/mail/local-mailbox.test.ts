import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { env } from "#lib/core/env.ts";
import { listLocalMailbox, saveToLocalMailbox } from "./local-mailbox.ts";

const createEmail = (subject: string) => ({
  to: "ada@example.test",
  subject,
  parts: [{ code: "123456" }],
});

test("only this OS user can read the emails, which contain codes", () => {
  const file = saveToLocalMailbox(createEmail("Hello"));
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(statSync(dirname(file)).mode & 0o777).toBe(0o700);
  expect(dirname(file)).toBe(join(env.DATA_DIR, "outbox"));
});

test("the newest emails come first, even within a millisecond", () => {
  for (let i = 0; i < 30; i++) saveToLocalMailbox(createEmail(`Email ${i}`));
  expect(listLocalMailbox(3).map(({ subject }) => subject)).toEqual([
    "Email 29",
    "Email 28",
    "Email 27",
  ]);
});

test("the fifty newest emails are kept, and other files too", () => {
  mkdirSync(join(env.DATA_DIR, "outbox"), { recursive: true });
  writeFileSync(join(env.DATA_DIR, "outbox", "notes.txt"), "mine");
  for (let i = 0; i < 60; i++) saveToLocalMailbox(createEmail(`Email ${i}`));
  expect(
    readdirSync(join(env.DATA_DIR, "outbox")).filter((name) => name.endsWith(".json")),
  ).toHaveLength(50);
  expect(readdirSync(join(env.DATA_DIR, "outbox"))).toContain("notes.txt");
  expect(listLocalMailbox(100).at(-1)?.subject).toBe("Email 10");
});

test("without a folder there are no emails", () => {
  expect(listLocalMailbox(10)).toEqual([]);
});

test("a file that is no email, or half of one, is skipped", () => {
  const file = saveToLocalMailbox(createEmail("Whole"));
  const whole = readFileSync(file, "utf8");
  const others = [
    "",
    "{",
    whole.slice(0, -10),
    "null",
    "[]",
    '{"to":1}',
    '{"to":"a","subject":"b"}',
  ];
  for (const [i, text] of others.entries())
    writeFileSync(join(dirname(file), `9999-${i}.json`), text);
  mkdirSync(join(dirname(file), "9999-folder.json"));
  expect(listLocalMailbox(3).map(({ subject }) => subject)).toEqual(["Whole"]);
});
