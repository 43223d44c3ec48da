// npm run admin -- grant EMAIL | list | revoke EMAIL: who is an admin. The only way to the first one.

import {
  parseCommandLine,
  exitUnlessDatabase,
  exitUnlessPrimary,
  exitWithUsage,
} from "#cli/command-line.ts";
import { env } from "#lib/core/env.ts";
import { isAppError } from "#lib/core/errors.ts";
import { emailField as emailField } from "#lib/core/validate.ts";
import { closeDatabase, readSql, writeSql } from "#lib/db/database.ts";
import { stopWatchingLitefs } from "#lib/replication/role.ts";
import { changeRoleByEmail, listAdmins } from "#lib/members/roles.ts";

process.env.LOG_LEVEL ??= "error"; // what is printed is the answer

const usage = `Usage: npm run admin -- grant EMAIL | list | revoke EMAIL

Makes a member an admin or takes that away, in ${env.DATABASE_FILE}. The site may be running.
  grant EMAIL    the member with this address becomes an admin; they sign up on the site first
  list           every admin: address, first name, since when they are a member
  revoke EMAIL   they are a member like others again
Whoever changes is logged out everywhere, and the change is noted in the log at /admin/log.
Exit code 0 when it is done, 1 when it is refused, 2 for a command that is not understood or without a database.`;

const { words } = parseCommandLine(usage, {}, { words: true });
const [command, address, ...rest] = words;
if (command !== "list" && command !== "grant" && command !== "revoke")
  exitWithUsage(
    command === undefined ? "Say what to do." : `There is no command "${command}".`,
    usage,
  );
if (rest.length > 0 || (command === "list" && address !== undefined))
  exitWithUsage(`One thing at a time: what is "${rest[0] ?? address}"?`, usage);
const parsed = emailField().safeParse(address);
if (command !== "list" && !parsed.success)
  exitWithUsage(parsed.error.issues[0]?.message ?? "The address is missing.", usage);
exitUnlessDatabase();

try {
  if (command === "list") {
    const admins = await readSql(listAdmins);
    for (const { email, firstName, createdAt } of admins)
      console.log(`${email}  ${firstName}  ${new Date(createdAt).toISOString().slice(0, 10)}`);
    if (admins.length === 0) console.log("There is no admin yet: npm run admin -- grant EMAIL");
  } else {
    await exitUnlessPrimary();
    // As it was typed, for addresses that were moved in from elsewhere with capitals.
    const { to, revokedSessionCount, adminCount } = await writeSql((sql) =>
      changeRoleByEmail(sql, {
        email: address!.trim(),
        role: command === "grant" ? "ADMIN" : "MEMBER",
      }),
    );
    const out =
      revokedSessionCount === 0
        ? "They were not logged in."
        : `They were logged out (${revokedSessionCount} ${revokedSessionCount === 1 ? "session" : "sessions"}).`;
    console.log(
      `${address!.trim()} is ${to === "ADMIN" ? "an admin" : "no admin any more"}. ${out}`,
    );
    if (adminCount === 0) console.log("Warning: there is no admin now.");
  }
} catch (error) {
  if (!isAppError(error)) throw error;
  console.error(error.message);
  process.exitCode = 1;
} finally {
  stopWatchingLitefs();
  await closeDatabase();
}
