// The site over a moved database: the old one in a real Postgres that is written to, the real command, a running site of its own.

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
import { findPostgres } from "#tests/support/postgres.ts";
import { assertInvariant } from "#tests/support/invariants.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";

const POST = "what-litefs-costs";
const CALL = "Did my call come along?";

test.describe.configure({ mode: "default" });
test.skip(!findPostgres(), "PostgreSQL's server is not here: apt install postgresql");

let smtp: TestSmtpServer;
let world: MigrationFixture;
/** Was there before the copy; came while the copy was made; has capitals in her address. */
let grace: SourceMember;
let ada: SourceMember;
let heidi: SourceMember;
const said: Record<string, string> = {};

async function run(...args: string[]): Promise<void> {
  const { code, output } = await world.runMigrate(args);
  expect(code, output).toBe(0);
  said[args[0]!] = output;
}

test.beforeAll(async () => {
  test.setTimeout(120_000);
  smtp = await startSmtpServer();
  world = await createMigrationFixture({
    sizes: SMALL_SIZES,
    perSecond: 200,
    env: { SMTP_URL: smtp.url },
  });
  grace = await world.addMember({
    firstName: "Grace",
    email: "grace@before.example",
    posts: [POST, "one-door-for-writes"],
    callTitle: CALL,
  });
  heidi = await world.addMember({
    firstName: "Heidi",
    email: "Heidi.Lamarr@Before.Example",
    posts: [POST],
  });
  await run("plan");
  await run("copy");
  ada = await world.addMember({
    firstName: "Ada",
    email: "ada@before.example",
    posts: [POST],
    callTitle: "Asked while the copy was made",
  });
  await run("follow", "--until-caught-up");
  await run("cutover", "--site", world.site.url);
  await world.writer.stop();
  await run("verify");
});

test.afterAll(async () => {
  await world?.close();
  await smtp?.close();
});

const give = (context: BrowserContext, { cookie }: SourceMember) =>
  context.addCookies([{ ...cookie, url: world.site.url, httpOnly: true, sameSite: "Lax" }]);
const open = (page: Page, path: string) => page.goto(world.site.url + path);

test("nothing that the old site's users were told is stored is lost, and the old database takes no more", async () => {
  expect(world.writer.ledger.committed).toBeGreaterThan(100);
  const { wrong, counters } = await world.checkLedger();
  assertInvariant("nothing that was committed is missing", wrong);
  expect(counters).toBe(0);
  await expect(world.query(`UPDATE "User" SET "firstName" = 'X'`)).rejects.toThrow(
    /read-only transaction/,
  );
  expect(await world.query("SELECT slot_name FROM pg_replication_slots")).toEqual([]);
  expect(await world.query("SELECT pubname FROM pg_publication")).toEqual([]);
  const printed = Object.values(said).join("\n").replace(/\s+/g, " ");
  expect(printed).toContain("Members stay logged in");
  for (const secret of [world.sourceUrl, "@before.example", grace.cookie.value.slice(0, 20)])
    expect(printed).not.toContain(secret);
});

for (const who of ["who was there before the copy", "who came while it was made"]) {
  test(`a member ${who} is still logged in, and finds their reads and their call`, async ({
    page,
    context,
  }) => {
    const member = who.includes("before") ? grace : ada;
    await give(context, member);
    await open(page, "/me");
    await expect(page.getByRole("heading", { level: 1, name: member.firstName })).toBeVisible();
    await expect(
      page.getByText(
        member.posts.length === 1
          ? "You have read one post to its end."
          : `You have read ${member.posts.length} posts to their end.`,
      ),
    ).toBeVisible();
    expect((await context.cookies()).map(({ name }) => name)).toEqual(["session"]);

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

    await page.getByRole("link", { name: "Your calls and where they stand" }).click();
    await expect(page).toHaveURL(/\/calls\/mine$/);
    await expect(page.getByRole("heading", { name: member.callTitle! })).toBeVisible();
    const recording = await page.request.get(
      (await page.locator("audio, audio source").first().getAttribute("src"))!.replace(
        /^\//,
        `${world.site.url}/`,
      ),
    );
    expect([recording.status(), recording.headers()["content-type"]]).toEqual([200, "audio/webm"]);

    const [counted] = await world.query<{ reads: string }>(
      `SELECT count(*)::text AS reads FROM "PostRead" WHERE "postSlug" = $1`,
      [POST],
    );
    await open(page, `/blog/${POST}`);
    await expect(
      page.getByText(`It has been read to its end ${formatCount(Number(counted!.reads))} times.`),
    ).toBeVisible();
  });
}

test("a session of the old site can be logged out, and is over then", async ({ page, context }) => {
  await give(context, grace);
  await open(page, "/me");
  await page.getByRole("button", { name: "Log out", exact: true }).click();
  await expect(page.getByRole("banner").getByRole("link", { name: "Log in" })).toBeVisible();
  await give(context, grace);
  await open(page, "/me");
  await expect(page).toHaveURL(/\/login\?next=\/me$/);
  expect((await context.cookies()).map(({ name }) => name)).not.toContain(LEGACY_SESSION_COOKIE);
});

test("a member whose address has capitals logs in by mail and is who they were", async ({
  page,
}) => {
  await open(page, "/login");
  await page.getByLabel("Your address for mail").fill(heidi.email.toLowerCase());
  await page.getByRole("button", { name: "Send me the mail" }).click();
  await expect(page).toHaveURL(/\/login\/code$/);
  await expect.poll(() => smtp.emails.length, { message: "the mail" }).toBeGreaterThan(0);
  const { to, text } = smtp.emails.at(-1)!;
  expect(to).toEqual([heidi.email.toLowerCase()]);
  await page.getByLabel("The code in the mail").fill(/^\d{6}$/m.exec(text)?.[0] ?? "");
  await page.getByRole("main").getByRole("button", { name: "Log in", exact: true }).click();
  await expect(page).toHaveURL(/\/me$/);
  await expect(page.getByRole("heading", { level: 1, name: "Heidi" })).toBeVisible();
  await expect(page.getByText("You have read one post to its end.")).toBeVisible();
});

test("a database that has members by now is not replaced unless that is asked for", async () => {
  expect((await world.runMigrate(["abort"])).output).toContain("The old site may write again");
  const again = await world.runMigrate(["cutover", "--site", "none"]);
  expect([again.code, again.output]).toEqual([1, expect.stringContaining("--replace")]);
  const replaced = await world.runMigrate(["cutover", "--replace", "--site", world.site.url]);
  expect(replaced.code, replaced.output).toBe(0);
  expect(
    readdirSync(dirname(world.site.databaseFile)).filter((name) => name.includes(".before-")),
  ).toHaveLength(2);
});

test.describe("npm run migrate:demo", () => {
  let folder: string;
  test.beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "lectern-demo-"));
    // PostgreSQL runs as nobody where the tests run as root.
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
          TMPDIR: folder,
        } as unknown as NodeJS.ProcessEnv,
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
  /** Of processes that were told of the folder, what says so. */
  const left = () => {
    const files = readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
      .flatMap((name) => [`/proc/${name}/environ`, `/proc/${name}/cmdline`]);
    return spawnSync("grep", ["-lzF", folder, ...files], { encoding: "utf8" })
      .stdout.split("\n")
      .filter(Boolean);
  };

  test("shows the whole move, loses nothing and leaves nothing", async () => {
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

  for (const at of ["filling the site before", "migrate:postgres -- copy"]) {
    test(`Ctrl-C at "${at}" leaves no process and no folder`, async () => {
      test.setTimeout(60_000);
      const child = demo("--small");
      let output = "";
      await new Promise<void>((resolve, reject) => {
        for (const stream of [child.stdout, child.stderr]) {
          stream.on("data", (data: Buffer) => {
            output += data.toString();
            if (output.includes(at)) resolve();
          });
        }
        child.once("close", () => reject(new Error(output)));
      });
      const ended = new Promise((resolve) => child.once("close", resolve));
      expect(left()).not.toEqual([]);
      child.kill("SIGINT");
      expect(await ended, output).toBe(130);
      expect(readdirSync(folder)).toEqual([]);
      expect(left()).toEqual([]);
    });
  }
});
