// Adds the members of an export to the database, in batches.

import { nowMs } from "#lib/core/clock.ts";
import { emailField } from "#lib/core/validate.ts";
import { write } from "#lib/db/database.ts";
import { type MemberToImport, importMembers } from "#lib/members/import-members.ts";
import { firstNameField } from "#lib/members/profile.ts";
import type { ExportedMember } from "./exported-site.ts";
import { parseUtc } from "./local-time.ts";

/** Short transactions, so that a running site's writes don't wait. */
const BATCH_SIZE = 200;
/** For an export without names. Members can change it. */
const UNKNOWN_NAME = "Reader";

/** Maximum number of skipped rows to list. */
const MAX_LINES = 200;

/** Returns lines for the terminal: skipped rows and the counts. */
export async function importMembersOf(exported: readonly ExportedMember[]): Promise<string[]> {
  const lines: string[] = [];
  const members = new Map<string, MemberToImport>();
  for (const { email, name, createdAt } of exported) {
    const address = emailField().safeParse(email);
    if (!address.success) {
      lines.push(`Skipped the member "${email.slice(0, 80)}": ${address.error.issues[0]!.message}`);
      continue;
    }
    const firstName = firstNameField().safeParse(name.trim().split(/\s+/)[0]);
    members.set(address.data, {
      email: address.data,
      firstName: firstName.success ? firstName.data : UNKNOWN_NAME,
      createdAt: pastDate(createdAt),
    });
  }
  const all = [...members.values()];
  let addedCount = 0;
  for (let start = 0; start < all.length; start += BATCH_SIZE)
    addedCount += await write((tx) => importMembers(tx, all.slice(start, start + BATCH_SIZE)));
  const known = all.length - addedCount;
  const more = lines.length - MAX_LINES;
  return [
    ...lines.slice(0, MAX_LINES),
    ...(more > 0 ? [`… and ${more} more`] : []),
    `${addedCount} members added, ${known} already had an account.`,
  ];
}

function pastDate(text: string): Date {
  const date = parseUtc(text);
  const now = nowMs();
  return Number.isNaN(date.getTime()) || date.getTime() > now ? new Date(now) : date;
}
