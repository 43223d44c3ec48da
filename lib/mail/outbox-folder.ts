// Where mails go when no server is configured: a folder beside the database, one file each, and the terminal.

import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "../base/env.ts";
import { type Mail, mailText } from "./mail.ts";

/** Older ones are removed: a development machine sends itself many. */
const KEPT = 50;

/** Mails of one millisecond keep their order. */
let written = 0;

const folder = () => join(env.DATA_DIR, "outbox");

const names = () =>
  readdirSync(folder())
    .filter((name) => name.endsWith(".json"))
    .sort();

/** Writes the mail to DATA_DIR/outbox (readable by this user alone) and prints it. Returns its file. */
export function putIntoFolder(mail: Mail): string {
  mkdirSync(folder(), { recursive: true, mode: 0o700 });
  const file = join(
    folder(),
    `${new Date().toISOString().replace(/[:.]/g, "-")}-${String(++written).padStart(6, "0")}-${randomBytes(4).toString("hex")}.json`,
  );
  writeFileSync(file, `${JSON.stringify(mail, null, 2)}\n`, { mode: 0o600 });
  for (const name of names().slice(0, -KEPT)) rmSync(join(folder(), name), { force: true });
  if (env.NODE_ENV !== "test")
    process.stdout.write(
      `\n  ── mail, not sent (no SMTP_URL): ${file}\n  To: ${mail.to}\n  Subject: ${mail.subject}\n\n${mailText(mail).replace(/^/gm, "  ")}\n`,
    );
  return file;
}

/** The newest mails in the folder, newest first. */
export function mailsInFolder(limit: number): Mail[] {
  try {
    return names()
      .slice(-limit)
      .reverse()
      .map((name) => JSON.parse(readFileSync(join(folder(), name), "utf8")) as Mail);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
