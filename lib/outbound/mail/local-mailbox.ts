// Stores emails in DATA_DIR/outbox, and prints them, if no mail server is configured.

import { randomBytes } from "node:crypto";
import { readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { createFolder } from "#lib/core/create-folder.ts";
import { env } from "#lib/core/env.ts";
import { type EmailMessage, renderEmailText } from "./email-message.ts";

/** Maximum emails kept; older ones are deleted. */
const MAX_STORED = 50;

/** Keeps emails of the same millisecond in order. */
let writtenCount = 0;

const storedEmailSchema = z.object({
  to: z.string(),
  subject: z.string(),
  parts: z.array(
    z.union([
      z.string(),
      z.object({ code: z.string() }),
      z.object({ link: z.string(), label: z.string(), isSmall: z.boolean().optional() }),
      z.object({ html: z.string(), text: z.string() }),
    ]),
  ),
});

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
  createFolder(mailboxFolder(), 0o700);
  const file = join(
    mailboxFolder(),
    `${new Date().toISOString().replace(/[:.]/g, "-")}-${String(++writtenCount).padStart(6, "0")}-${randomBytes(4).toString("hex")}.json`,
  );
  // Renamed when it is complete, so that the page never reads half an email.
  writeFileSync(`${file}.part`, `${JSON.stringify(email, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.part`, file);
  for (const name of listFileNames().slice(0, -MAX_STORED))
    rmSync(join(mailboxFolder(), name), { force: true });
  if (env.NODE_ENV !== "test")
    process.stdout.write(
      `\n  ── email, not sent (no SMTP_URL): ${file}\n  To: ${email.to}\n  Subject: ${email.subject}\n\n${renderEmailText(email).replace(/^/gm, "  ")}\n`,
    );
  return file;
}

/** Returns at most `limit` emails, newest first. Skips files that are not an email. */
export function listLocalMailbox(limit: number): EmailMessage[] {
  try {
    return listFileNames().reverse().flatMap(readStoredEmail).slice(0, limit);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

/** Returns the email in the file `name`; empty if it is unreadable, truncated or something else. */
function readStoredEmail(name: string): EmailMessage[] {
  try {
    return [storedEmailSchema.parse(JSON.parse(readFileSync(join(mailboxFolder(), name), "utf8")))];
  } catch {
    return [];
  }
}
