// Where mails go when no server is configured: a folder beside the database, one file each, and the terminal.

import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "#lib/core/env.ts";
import { type EmailMessage, renderEmailText } from "./email-message.ts";

/** Older ones are removed: a development machine sends itself many. */
const MAX_STORED = 50;

/** Mails of one millisecond keep their order. */
let writtenCount = 0;

const mailboxFolder = () => join(env.DATA_DIR, "outbox");

const listFileNames = () =>
  readdirSync(mailboxFolder())
    .filter((name) => name.endsWith(".json"))
    .sort();

/** Writes the mail to DATA_DIR/outbox (readable by this user alone) and prints it. Returns its file. */
export function saveToLocalMailbox(mail: EmailMessage): string {
  mkdirSync(mailboxFolder(), { recursive: true, mode: 0o700 });
  const file = join(
    mailboxFolder(),
    `${new Date().toISOString().replace(/[:.]/g, "-")}-${String(++writtenCount).padStart(6, "0")}-${randomBytes(4).toString("hex")}.json`,
  );
  writeFileSync(file, `${JSON.stringify(mail, null, 2)}\n`, { mode: 0o600 });
  for (const name of listFileNames().slice(0, -MAX_STORED))
    rmSync(join(mailboxFolder(), name), { force: true });
  if (env.NODE_ENV !== "test")
    process.stdout.write(
      `\n  ── mail, not sent (no SMTP_URL): ${file}\n  To: ${mail.to}\n  Subject: ${mail.subject}\n\n${renderEmailText(mail).replace(/^/gm, "  ")}\n`,
    );
  return file;
}

/** The newest mails in the folder, newest first. */
export function listLocalMailbox(limit: number): EmailMessage[] {
  try {
    return listFileNames()
      .slice(-limit)
      .reverse()
      .map((name) => JSON.parse(readFileSync(join(mailboxFolder(), name), "utf8")) as EmailMessage);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
