// Tests the site on a migrated database: a real PostgreSQL under load, the real command, and a
// running site.

import { spawn, spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { BrowserContext, Page } from "@playwright/test";
import { formatCount } from "#lib/core/format.ts";
import {
  type MigrationFixture,
  LEGACY_SESSION_COOKIE,
  type SourceMember,
  createMigrationFixture,
} from "#tests/support/migration-fixture.ts";
import { SMALL_SIZES } from "#tests/support/source-site.ts";
import { findPostgres } from "../scripts/find-postgres.mjs";
import { assertInvariant } from "#tests/support/invariants.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";

const POST = "what-litefs-costs";
const CALL = "Did my call come along?";

test.describe.configure({ mode: "default" });
test.skip(!findPostgres(), "PostgreSQL's server is not here: apt install postgresql");

let smtp: TestSmtpServer;
let fixture: MigrationFixture;
/** grace exists before the copy, ada joins during it, and heidi has capitals in her address. */
let grace: SourceMember;
let ada: SourceMember;
let heidi: SourceMember;
const outputs: Record<string, string> = {};

async function run(...args: string[]): Promise<void> {
  const { code, output } = await fixture.runMigrate(args);
  expect(code, output).toBe(0);
  outputs[args[0]!] = output;
}

test.beforeAll(async () => {
  test.setTimeout(120_000);
  smtp = await startSmtpServer();
  fixture = await createMigrationFixture({
    sizes: SMALL_SIZES,
    perSecond: 200,
    env: { SMTP_URL: smtp.url },
  });
  grace = await fixture.addMember({
    firstName: "Grace",
    email: "grace@before.example",
    posts: [POST, "one-door-for-writes"],
    callTitle: CALL,
  });
  heidi = await fixture.addMember({
    firstName: "Heidi",
    email: "Heidi.Lamarr@Before.Example",
    posts: [POST],
  });
  await run("plan");
  await run("copy");
  ada = await fixture.addMember({
    firstName: "Ada",
    email: "ada@before.example",
    posts: [POST],
    callTitle: "Asked while the copy was made",
  });
  await run("follow", "--until-caught-up");
  await run("cutover", "--site", fixture.site.url);
  await fixture.writer.stop();
  await run("verify");
});

test.afterAll(async () => {
  await fixture?.close();
  await smtp?.close();
});

const give = (context: BrowserContext, { cookie }: SourceMember) =>
  context.addCookies([{ ...cookie, url: fixture.site.url, httpOnly: true, sameSite: "Lax" }]);
const open = (page: Page, path: string) => page.goto(fixture.site.url + path);

test("no acknowledged write is lost, and the source database is read-only", async () => {
  expect(fixture.writer.ledger.committed).toBeGreaterThan(100);
  const { problems, counterDifferences } = await fixture.checkLedger();
  assertInvariant("every committed write is there", problems);
  expect(counterDifferences).toBe(0);
  await expect(fixture.query(`UPDATE "User" SET "firstName" = 'X'`)).rejects.toThrow(
    /read-only transaction/,
  );
  expect(await fixture.query("SELECT slot_name FROM pg_replication_slots")).toEqual([]);
  expect(await fixture.query("SELECT pubname FROM pg_publication")).toEqual([]);
  const printed = Object.values(outputs).join("\n").replace(/\s+/g, " ");
  expect(printed).toContain("Members stay logged in");
  for (const secret of [fixture.sourceUrl, "@before.example", grace.cookie.value.slice(0, 20)])
    expect(printed).not.toContain(secret);
});

for (const when of ["before the copy", "during the copy"]) {
  test(`a member who joined ${when} is still logged in, and finds their reads and their call`, async ({
    page,
    context,
  }) => {
    const member = when === "before the copy" ? grace : ada;
    await give(context, member);
    await open(page, "/me");
    await expect(page.getByRole("heading", { level: 1, name: member.firstName })).toBeVisible();
    await expect(
      page.getByText(
        member.posts.length === 1
          ? "You’ve finished 1 post."
          : `You’ve finished ${member.posts.length} posts.`,
      ),
    ).toBeVisible();
    const names = (await context.cookies()).map(({ name }) => name);
    expect(names.filter((name) => !["passkey", "visit"].includes(name))).toEqual(["session"]); // /me may set all

    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Download my data" }).click(),
    ]);
    const data = JSON.parse(readFileSync(await download.path(), "utf8")) as {
      user: unknown;
      reads: { postSlug: string }[];
    };
    expect(data.user).toMatchObject({ id: member.id, email: member.email });
    expect(JSON.stringify(data.reads)).toContain(POST);
    expect(data.reads).toHaveLength(member.posts.length);

    await page.getByRole("link", { name: "See your calls" }).click();
    await expect(page).toHaveURL(/\/calls\/mine$/);
    await expect(page.getByRole("heading", { name: member.callTitle! })).toBeVisible();
    const recording = await page.request.get(
      (await page.locator("audio, audio source").first().getAttribute("src"))!.replace(
        /^\//,
        `${fixture.site.url}/`,
      ),
    );
    expect([recording.status(), recording.headers()["content-type"]]).toEqual([200, "audio/webm"]);

    const [counted] = await fixture.query<{ reads: string }>(
      `SELECT count(*)::text AS reads FROM "PostRead" WHERE "postSlug" = $1`,
      [POST],
    );
    await open(page, `/blog/${POST}`);
    await expect(
      page.getByText(`Read to the end ${formatCount(Number(counted!.reads))} times.`),
    ).toBeVisible();
  });
}

test("a session of the source site can be logged out", async ({ page, context }) => {
  await give(context, grace);
  await open(page, "/me");
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await expect(page.getByRole("banner").getByRole("link", { name: "Log in" })).toBeVisible();
  await give(context, grace);
  await open(page, "/me");
  await expect(page).toHaveURL(/\/login\?next=\/me$/);
  expect((await context.cookies()).map(({ name }) => name)).not.toContain(LEGACY_SESSION_COOKIE);
});

test("a member whose address has capitals logs in by email with their account", async ({
  page,
}) => {
  await open(page, "/login");
  await page.getByLabel("Email address").fill(heidi.email.toLowerCase());
  await page.getByRole("button", { name: "Email me a login link" }).click();
  await expect(page).toHaveURL(/\/login\/code$/);
  await expect.poll(() => smtp.emails.length, { message: "the mail" }).toBeGreaterThan(0);
  const { to, text } = smtp.emails.at(-1)!;
  expect(to).toEqual([heidi.email.toLowerCase()]);
  await page.getByLabel("6-digit code").fill(/^\d{6}$/m.exec(text)?.[0] ?? "");
  await page.getByRole("main").getByRole("button", { name: "Log in", exact: true }).click();
  await expect(page).toHaveURL(/\/me$/);
  await expect(page.getByRole("heading", { level: 1, name: "Heidi" })).toBeVisible();
  await expect(page.getByText("You’ve finished 1 post.")).toBeVisible();
});

test("a database with members is replaced only with --replace", async () => {
  expect((await fixture.runMigrate(["abort"])).output).toContain("The source site can write again");
  const again = await fixture.runMigrate(["cutover", "--site", "none"]);
  expect([again.code, again.output]).toEqual([1, expect.stringContaining("--replace")]);
  const replaced = await fixture.runMigrate(["cutover", "--replace", "--site", fixture.site.url]);
  expect(replaced.code, replaced.output).toBe(0);
  expect(
    readdirSync(dirname(fixture.site.databaseFile)).filter((name) => name.includes(".backup-")),
  ).toHaveLength(2);
});

test.describe("npm run migrate:demo", () => {
  let folder: string;
  test.beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lectern-demo-"));
    // When run as root, PostgreSQL runs as the user nobody, who must be able to read the folder.
    chmodSync(folder, 0o755);
  });
  test.afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const demo = (...args: string[]) =>
    spawn(
      process.execPath,
      ["--disable-warning=ExperimentalWarning", "cli/migrate-postgres/demo.ts", ...args],
      {
        env: {
          PATH: process.env.PATH,
          HOME: process.env.HOME,
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
          TMPDIR: folder,
        } as unknown as NodeJS.ProcessEnv,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
  /** Lists files in /proc of processes that refer to the folder. */
  const listProcesses = () => {
    const files = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .flatMap((name) => [`/proc/${name}/environ`, `/proc/${name}/cmdline`]);
    return spawnSync("grep", ["-lzF", folder, ...files], { encoding: "utf8" })
      .stdout.split("\n")
      .filter(Boolean);
  };

  test("runs the whole migration, loses nothing and leaves nothing behind", async () => {
    test.setTimeout(90_000);
    const child = demo("--small", "--per-second", "100", "--exit");
    let output = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (output += data.toString()));
    const code = await new Promise((resolve) => child.once("close", resolve));
    expect(code, output).toBe(0);
    expect(output).toMatch(/✓ rows lost\s+0 of the /);
    expect(output).toMatch(/✓ served /);
    expect(readdirSync(folder)).toEqual([]);
  });

  for (const moment of ["filling the source site", "migrate:postgres -- copy"]) {
    test(`Ctrl-C at "${moment}" leaves no process and no folder`, async () => {
      test.setTimeout(60_000);
      const child = demo("--small");
      let output = "";
      await new Promise<void>((resolve, reject) => {
        for (const stream of [child.stdout, child.stderr]) {
          stream.on("data", (data: Buffer) => {
            output += data.toString();
            if (output.includes(moment)) resolve();
          });
        }
        child.once("close", () => reject(new Error(output)));
      });
      const ended = new Promise((resolve) => child.once("close", resolve));
      expect(listProcesses()).not.toEqual([]);
      child.kill("SIGINT");
      expect(await ended, output).toBe(130);
      expect(readdirSync(folder)).toEqual([]);
      expect(listProcesses()).toEqual([]);
    });
  }
});
