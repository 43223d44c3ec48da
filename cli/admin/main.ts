// Grants, lists and revokes the admin role: npm run admin -- grant EMAIL | list | revoke EMAIL.
// This is the only way to appoint the first admin.

import {
  parseCommandLine,
  exitUnlessDatabase,
  exitUnlessPrimary,
  exitWithUsage,
} from "#cli/command-line.ts";
import { env } from "#lib/core/env.ts";
import { isAppError } from "#lib/core/errors.ts";
import { pluralize } from "#lib/core/format.ts";
import { emailField } from "#lib/core/validate.ts";
import { closeDatabase, read, write } from "#lib/db/database.ts";
import { stopWatchingLitefs } from "#lib/replication/role.ts";
import { type RoleChange, changeRoleByEmail, listAdmins } from "#lib/members/roles.ts";

process.env.LOG_LEVEL ??= "error"; // keeps the output free of log lines

const usage = `Usage: npm run admin -- grant EMAIL | list | revoke EMAIL

Grants or revokes the admin role in ${env.DATABASE_FILE}. The site may be running.
  grant EMAIL    makes a member an admin; they sign up on the site first
  list           prints all admins: email address, first name, sign-up date
  revoke EMAIL   makes an admin a regular member again
A change logs the member out everywhere and is recorded at /admin/log.
Exit codes: 0 success, 1 refused, 2 unknown command or no database.`;

const { words } = parseCommandLine(usage, {}, { words: true });
const [command, address, ...rest] = words;
if (command !== "list" && command !== "grant" && command !== "revoke")
  exitWithUsage(
    command === undefined ? "No command given." : `Unknown command: "${command}".`,
    usage,
  );
if (rest.length > 0 || (command === "list" && address !== undefined))
  exitWithUsage(`Unexpected argument: "${rest[0] ?? address}".`, usage);
const parsed = emailField().safeParse(address);
if (command !== "list" && !parsed.success)
  exitWithUsage(parsed.error.issues[0]?.message ?? "The email address is missing.", usage);
exitUnlessDatabase();

try {
  if (command === "list") {
    const admins = await read(listAdmins);
    for (const { email, firstName, createdAt } of admins)
      console.log(`${email}  ${firstName}  ${createdAt.toISOString().slice(0, 10)}`);
    if (admins.length === 0)
      console.log("There are no admins yet. Add one with: npm run admin -- grant EMAIL");
  } else {
    await exitUnlessPrimary();
    // Keep the case, because migrated addresses may have capitals.
    const email = address!.trim();
    const role = command === "grant" ? "ADMIN" : "MEMBER";
    const change = await write((tx) => changeRoleByEmail(tx, { email, role }));
    if (change) reportChange(email, change);
    else console.log(`${email} is already ${role === "ADMIN" ? "an admin" : "a regular member"}.`);
  }
} catch (error) {
  if (!isAppError(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  stopWatchingLitefs();
  await closeDatabase();
}

function reportChange(email: string, { to, revokedSessionCount, adminCount }: RoleChange): void {
  const sessions =
    revokedSessionCount === 0
      ? "They were not logged in."
      : `They were logged out (${pluralize(revokedSessionCount, "session")}).`;
  console.log(`${email} is ${to === "ADMIN" ? "an admin" : "no longer an admin"}. ${sessions}`);
  if (adminCount === 0) console.log("Warning: there are no admins left.");
}
