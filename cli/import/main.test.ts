// Runs the real command: its options, its report, and the members that it adds.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { ghostExportZip } from "#tests/support/blog-exports.ts";
import { insertUser } from "#tests/support/factories.ts";
import { env } from "#lib/core/env.ts";
import { read, write } from "#lib/db/database.ts";

let folder: string;

beforeEach(() => {
  folder = join(process.env.DATA_DIR!, "import-command");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "ghost.zip"), ghostExportZip());
});

function runCommand(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["cli/import/main.ts", ...args], {
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const runImport = (...args: string[]) => runCommand("--to", join(folder, "content"), ...args);

test("a dry run reports, the import writes, and a repetition changes nothing", () => {
  const file = join(folder, "ghost.zip");
  const dryRun = runImport("ghost", file, "--dry-run");
  expect(dryRun).toMatchObject({ status: 0, stderr: "" });
  expect(dryRun.stdout).toContain("Dry run: nothing was written. 48 posts, 2 pages, 7 drafts, ");
  expect(existsSync(join(folder, "content"))).toBe(false);
  const first = runImport("ghost", file);
  expect(first.stdout).toContain("48 posts, 2 pages, 7 drafts, ");
  expect(first.stdout).toContain("50 files written, 0 unchanged, ");
  expect(first.stdout).toContain('the post "Ghost post 47": was for paid readers only');
  expect(runImport("ghost", file).stdout).toContain("0 files written, 50 unchanged, ");
});

test("members are added once, never as admins, and known ones stay as they are", async () => {
  await write((tx) => insertUser(tx, { email: "Known@example.test", firstName: "Known" }));
  const csv = join(folder, "members.csv");
  writeFileSync(
    csv,
    "email,name,created_at\nADA@example.test,Ada Lovelace,2020-01-02T03:04:05.000Z\nknown@example.test,Other,\nnobody,No,\nbob@example.test,,\n",
  );
  const args = ["ghost", join(folder, "ghost.zip"), "--members", csv];
  const { status, stdout } = runImport(...args);
  expect(status).toBe(0);
  expect(stdout).toContain('Skipped the member "nobody": Enter a valid email address');
  expect(stdout).not.toMatch(/[\u001b\u0007]/);
  expect(stdout).toContain("2 members added, 1 already had an account.");
  const listUsers = async () => {
    const users = await read((tx) =>
      tx.user.findMany({ orderBy: { email: "asc" }, include: { sessions: true } }),
    );
    return JSON.parse(JSON.stringify(users)) as typeof users;
  };
  const users = await listUsers();
  expect(users.map(({ email, firstName, role }) => [email, firstName, role])).toEqual([
    ["Known@example.test", "Known", "MEMBER"],
    ["ada@example.test", "Ada", "MEMBER"],
    ["bob@example.test", "Reader", "MEMBER"],
  ]);
  expect(users[1]).toMatchObject({
    createdAt: "2020-01-02T03:04:05.000Z",
    sessions: [],
  });
  expect(await read((tx) => tx.delivery.count())).toBe(0);
  expect(runImport(...args).stdout).toContain("0 members added, 3 already had an account.");
  expect(await listUsers()).toEqual(users);
});

test("a file of members is imported without posts", async () => {
  const csv = join(folder, "members.csv");
  writeFileSync(csv, "email,name\neve@example.test,Eve\n");
  expect(runCommand("members", csv, "--dry-run")).toMatchObject({
    status: 0,
    stdout: "1 members would be added.\n",
  });
  expect(runCommand("members", csv)).toMatchObject({
    status: 0,
    stdout: "1 members added, 0 already had an account.\n",
  });
  expect(await read((tx) => tx.user.count({ where: { email: "eve@example.test" } }))).toBe(1);
});

test("wrong options and files are refused before anything is written", () => {
  for (const args of [
    ["tumblr", "x"],
    ["ghost", "a", "--url", "example.com"],
    ["ghost", "a", "--force"],
    ["ghost", "a", "--members", "b.csv", "--export-members"],
    ["ghost", "a", "--export-members"],
    ["ghost", "a", "--to", ""],
    ["members", "a.csv"], // with --to
  ])
    expect([args, runImport(...args)]).toMatchObject([
      args,
      { status: 2, stderr: expect.stringContaining("Usage: npm run import") as string },
    ]);
  // npm run import ghost x --dry-run, without -- before the options
  process.env.npm_config_dry_run = "true";
  expect(runImport("ghost", join(folder, "ghost.zip"))).toMatchObject({
    status: 2,
    stderr: expect.stringContaining("npm took --dry-run as its own option.") as string,
  });
  delete process.env.npm_config_dry_run;
  expect(runImport("ghost", join(folder, "none.json"))).toMatchObject({
    status: 1,
    stderr: expect.stringContaining("none.json does not exist. Check the path.") as string,
  });
  const members = ["ghost", join(folder, "ghost.zip"), "--members", join(folder, "members.csv")];
  expect(runImport(...members)).toMatchObject({
    status: 1,
    stderr: `${join(folder, "members.csv")} does not exist. Check the path.\n`,
  });
  writeFileSync(join(folder, "members.csv"), "email\nada@example.test\n");
  const { DATABASE_FILE } = env;
  for (const [name, text] of [["missing.db"], ["text.db", "not a database"], ["empty.db", ""]]) {
    const file = join(folder, name!);
    if (text !== undefined) writeFileSync(file, text);
    process.env.DATABASE_FILE = file;
    expect([name, runImport(...members)]).toMatchObject([
      name,
      { status: 2, stderr: expect.stringMatching(/^\S+\.db [^\n]+npm start[^\n]+\n$/) as string },
    ]);
  }
  process.env.DATABASE_FILE = DATABASE_FILE;
  expect(existsSync(join(folder, "content"))).toBe(false);
  writeFileSync(join(folder, "content"), "a file");
  expect(runImport("ghost", join(folder, "ghost.zip"))).toMatchObject({
    status: 1,
    stderr: `${join(folder, "content")} can't be written (EEXIST).\n`,
  });
});
