import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { listAuditEvents } from "#lib/db/audit.ts";
import { read, write } from "#lib/db/database.ts";
import { createSession } from "#lib/members/sessions.ts";

/** Runs the real command on this test's database, which stays open like on a running site. */
function admin(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["cli/admin/main.ts", ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

test("the first admin is granted, listed and revoked while the site runs", async () => {
  const { id } = await write((tx) =>
    insertUser(tx, {
      email: "Ada@example.test",
      firstName: "Ada",
      createdAt: Date.parse("2026-11-01"),
    }),
  );
  await write((tx) => createSession(tx, id));
  expect(admin("list")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("no admins yet") as string,
  });
  expect(admin("grant", "ada@EXAMPLE.test")).toEqual({
    status: 0,
    stdout: "ada@EXAMPLE.test is an admin. They were logged out (1 session).\n",
    stderr: "",
  });
  expect(admin("list")).toEqual({
    status: 0,
    stdout: "Ada@example.test  Ada  2026-11-01\n",
    stderr: "",
  });
  expect(admin("grant", "ada@example.test")).toEqual({
    status: 0,
    stdout: "ada@example.test is already an admin.\n",
    stderr: "",
  });
  expect(admin("revoke", "ada@example.test")).toEqual({
    status: 0,
    stdout:
      "ada@example.test is no longer an admin. They were not logged in.\nWarning: there are no admins left.\n",
    stderr: "",
  });
  const events = await read((tx) => listAuditEvents(tx));
  expect(events.map(({ actorId, subjectId, detail }) => [actorId, subjectId, detail.role])).toEqual(
    [
      [null, id, { from: "ADMIN", to: "MEMBER" }],
      [null, id, { from: "MEMBER", to: "ADMIN" }],
    ],
  );
});

test("an unknown address is refused", () => {
  expect(admin("grant", "nobody@example.test")).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/^nobody@example\.test has not signed up yet/) as string,
  });
});

test("an unknown command prints the usage", () => {
  for (const args of [
    ["promote", "a@example.test"],
    ["grant", "ada"],
  ]) {
    expect([args, admin(...args)]).toMatchObject([
      args,
      { status: 2, stderr: expect.stringContaining("Usage: npm run admin") as string },
    ]);
  }
  expect(admin("--help")).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("grant EMAIL") as string,
  });
});

test("without a database it fails and creates none", () => {
  const file = join(process.env.DATA_DIR!, "elsewhere.db");
  const { status, stderr } = spawnSync(process.execPath, ["cli/admin/main.ts", "list"], {
    encoding: "utf8",
    env: { ...process.env, DATABASE_FILE: file },
  });
  expect([status, stderr, existsSync(file)]).toEqual([
    2,
    `${file} does not exist. npm start creates it.\n`,
    false,
  ]);
});
