// Stores emails in DATA_DIR/outbox, and prints them, if no mail server is configured.

import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { env } from "#lib/core/env.ts";
import { type EmailMessage, renderEmailText } from "./email-message.ts";

/** Maximum emails kept; older ones are deleted. */
const MAX_STORED = 50;

/** Keeps emails of the same millisecond in order. */
let writtenCount = 0;

const mailboxFolder = () => join(env.DATA_DIR, "outbox");

const listFileNames = () =>
  readdirSync(mailboxFolder())
    .filter((name) => name.endsWith(".json"))
    .sort();

/**
 * Writes the email to a file that only the current OS user can read, and prints it. Returns the
 * file's path.
 */
export function saveToLocalMailbox(email: EmailMessage): string {
  mkdirSync(mailboxFolder(), { recursive: true, mode: 0o700 });
  const file = join(
    mailboxFolder(),
    `${new Date().toISOString().replace(/[:.]/g, "-")}-${String(++writtenCount).padStart(6, "0")}-${randomBytes(4).toString("hex")}.json`,
  );
  writeFileSync(file, `${JSON.stringify(email, null, 2)}\n`, { mode: 0o600 });
  for (const name of listFileNames().slice(0, -MAX_STORED))
    rmSync(join(mailboxFolder(), name), { force: true });
  if (env.NODE_ENV !== "test")
    process.stdout.write(
      `\n  ── email, not sent (no SMTP_URL): ${file}\n  To: ${email.to}\n  Subject: ${email.subject}\n\n${renderEmailText(email).replace(/^/gm, "  ")}\n`,
    );
  return file;
}

/** Returns at most `limit` emails, newest first. */
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
