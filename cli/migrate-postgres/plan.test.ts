import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatPlan } from "./format-plan.ts";
import { SLOT_NAME } from "./table-mapping.ts";
import { assertResolved, isResolved } from "./plan.ts";
import { connectSource, readRows } from "./source-connection.ts";
import { saveState } from "./migration-state.ts";
import { hashSessionId } from "#lib/members/session/hash-session-id.ts";
import { ODDITIES, createSourceSite, readSourceId, runSql } from "#tests/support/source-site.ts";
import {
  PERMISSIVE_OPTIONS,
  STRICT_OPTIONS,
  runPlannedMigration,
  planTestMigration,
  formatIssues,
} from "#tests/support/planned-migration-fixture.ts";
import { type TestPostgres, findPostgres, startPostgres } from "#tests/support/postgres.ts";

type Odd = keyof typeof ODDITIES;

/** What the plan says of each, before anything is chosen. */
const SAID: Record<Odd, RegExp[]> = {
  microseconds: [/^note: PostRead.createdAt: 2,000 rows have microseconds/],
  zoned: [/^note: Dates become whole milliseconds/],
  infinite: [
    /^choice: 1 row of Session .*expirationDate is infinite.*--unfit aside/,
    /^choice: 1 row of PostRead .*createdAt is infinite/,
  ],
  ancient: [
    /^choice: 1 row of User .*createdAt is not in the years 1 to 9999/,
    /^choice: 12 rows of PostRead .*its User is not there, or can't be taken itself/,
  ],
  extraLabel: [/^note: User.team could be GREEN.*No row is/],
  greenMember: [
    /^choice: 1 row of User .*team is none of RED, BLUE, YELLOW/,
    /^choice: 2 rows of Session .*its User is not there/,
    /^choice: 1 row of Call/,
  ],
  textRole: [/^choice: 1 row of User .*role is none of ADMIN, MEMBER/],
  capitals: [
    /^note: 1 e-mail address belongs to several members who wrote it with other capitals, 2 accounts.* and twin\./,
  ],
  orphans: [
    /^choice: 1 row of Session .*its User is not there/,
    /^choice: 1 row of PostRead .*its User is not there/,
  ],
  unknownColumns: [
    /^choice: User has 3 columns that this site does not have: nickname \(text\), score \(numeric\(10,2\)\) and settings \(jsonb\).*--unknown keep puts them into the table Moved_User.*--unknown drop/,
  ],
  unknownSessionColumn: [/^choice: Session has 1 column .*userAgent/],
  unknownTable: [/^choice: This site has no table for Bookmark \(3 columns\).*Moved_Bookmark/],
  unknownTableWithoutKey: [/^choice: This site has no table for Log \(1 column\)/],
  emptySlug: [/^choice: 1 row of PostRead .*postSlug is empty/],
  noTeam: [/^choice: 1 row of User .*team is null/],
  uuids: [/^note: These become text.*PostRead.id \(uuid\) and PostRead.clientId \(uuid\)/],
  citext: [/^note: These become text.*User.email \(public.citext\)/],
  dateOnly: [/^note: Session.expirationDate is a day without a time/],
  view: [/^note: Not moved, since views hold nothing of their own: Reader/],
  partitions: [/^note: Not moved, since only tools of the old site need it: _prisma_migrations\.$/],
  missingColumn: [/^note: User has no column convertKitId: it stays empty/],
  missingTable: [/^note: There is no table Call/],
  noKey: [/^stop: PostRead has no key.*ALTER TABLE "public"."PostRead" ADD PRIMARY KEY \("id"\);/],
  wrongType: [/^note: These become text.*User.discordId \(bigint\)/],
  bigCall: [/^note: Enums become text: User.role and User.team/],
};

describe.skipIf(!findPostgres())("a plan", () => {
  let server: TestPostgres;
  let dir: string;
  beforeAll(async () => {
    server = await startPostgres();
    dir = mkdtempSync(join(tmpdir(), "lectern-plan-"));
  });
  afterAll(async () => {
    await server?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  async function site(...odd: Odd[]): Promise<string> {
    const url = await server.createDatabase();
    await createSourceSite(url);
    for (const name of odd) await runSql(url, ODDITIES[name]);
    return url;
  }

  async function ask(url: string, sql: string): Promise<Record<string, string | null>[]> {
    const client = await connectSource(url);
    try {
      return await readRows(client, sql);
    } finally {
      await client.end();
    }
  }

  test("of a site as it should be says what moves, and leaves nothing to decide", async () => {
    const url = await site();
    const plan = await planTestMigration(url, { dir });
    expect(isResolved(plan)).toBe(true);
    expect(plan.tables.map(({ table, rows }) => [table.target, rows])).toEqual([
      ["User", 60],
      ["Session", 90],
      ["Call", 8],
      ["PostRead", 2_000],
    ]);
    expect(
      plan.tables.every(({ bytes, seconds }) => bytes > 1_000 && seconds > 0 && seconds < 5),
    ).toBe(true);
    const [server_] = await ask(
      url,
      "SELECT system_identifier::text AS system, current_database() AS database FROM pg_control_system()",
    );
    expect(plan.source).toMatchObject({
      mode: "stream",
      whyPasses: [],
      encoding: "UTF8",
      walLevel: "logical",
      hasPartitions: false,
      ...server_,
    });
    expect(plan.source.version).toMatch(/^\d+\.\d+$/);
    expect(plan.time.copySeconds).toBeLessThan(10);
    expect(plan.room).toMatchObject({ folder: dir });
    expect(plan.room.freeBytes).toBeGreaterThan(plan.room.neededBytes);
    expect((await runPlannedMigration(url, plan, join(dir, "plain.db"))).equal).toBe(true);
  });

  test.each(Object.keys(SAID) as Odd[])(
    "names what is odd, and what is chosen then moves and compares equal: %s",
    async (odd) => {
      const url = await site(...(odd === "greenMember" ? (["extraLabel", odd] as const) : [odd]));
      const plan = await planTestMigration(url, { dir });
      const said = formatIssues(plan);
      for (const pattern of SAID[odd])
        expect(
          said.find((line) => pattern.test(line)),
          `${pattern} in ${said.join("\n")}`,
        ).toBeDefined();
      const blocking = plan.findings.filter(({ level }) => level !== "note");
      expect(isResolved(plan)).toBe(blocking.length === 0);
      for (const { text, fix } of blocking)
        expect(() => assertResolved(plan)).toThrow(`${text} ${fix}`);
      expect(formatPlan(plan).join("\n")).not.toMatch(
        /postgres:|127\.0\.0\.1|@example|Ada|nobody/i,
      );

      if (odd === "noKey") await runSql(url, blocking[0]!.fix!);
      const chosen = await planTestMigration(url, { dir, choices: PERMISSIVE_OPTIONS });
      expect([
        isResolved(chosen),
        formatIssues(chosen).filter((line) => !line.startsWith("note")),
      ]).toEqual([true, []]);
      const file = join(dir, `${odd}.db`);
      const { equal, tables } = await runPlannedMigration(url, chosen, file);
      expect(tables.flatMap(({ differences }) => differences)).toEqual([]);
      expect([equal, tables.length > 3 || odd === "missingTable"]).toEqual([true, true]);
      expect(tables.map(({ target, source }) => [target, source.rows])).toEqual(
        chosen.tables.map(({ table, rows }) => [table.target, rows]),
      );

      // What was put aside is what the plan counted, reason by reason.
      const db = new Database(file, { readonly: true });
      const aside = db
        .prepare(
          `SELECT "source" || ': ' || "why" || ' ' || count(*) FROM "Moved_aside" GROUP BY "source", "why" ORDER BY 1`,
        )
        .pluck()
        .all();
      const keys = new Set(
        db.prepare(`SELECT "source" || ' ' || "key" FROM "Moved_aside"`).pluck().all(),
      );
      db.close();
      const counted = plan.findings
        .filter(({ about }) => about === "rows")
        .map(({ text }) => {
          const [, rows, source, why] =
            /^([\d,]+) rows? of (\w+) can't be taken as (?:it is|they are): (.*?)(?:, or can't be taken itself)?\. [A-Z]/.exec(
              text,
            )!;
          for (const key of text
            .split(/keys?: /)[1]!
            .replace(/\.$/, "")
            .split(", "))
            expect(keys).toContain(`${source} ${key}`);
          return `${source}: ${why} ${rows!.replaceAll(",", "")}`;
        });
      expect(counted.sort()).toEqual(aside);
    },
  );

  test("of everything odd at once holds together, and drop leaves behind what keep would keep", async () => {
    const url = await site(
      "extraLabel",
      "greenMember",
      "infinite",
      "ancient",
      "orphans",
      "emptySlug",
      "noTeam",
      "microseconds",
      "zoned",
      "citext",
      "uuids",
      "wrongType",
      "dateOnly",
      "unknownColumns",
      "unknownSessionColumn",
      "unknownTable",
      "unknownTableWithoutKey",
      "view",
      "bigCall",
    );
    const undecided = await planTestMigration(url, { dir });
    expect(undecided.findings.filter(({ level }) => level === "choice").length).toBeGreaterThan(10);
    expect(undecided.tables.map(({ table }) => table.target)).toEqual([
      "User",
      "Session",
      "Call",
      "PostRead",
    ]);
    const kept = await planTestMigration(url, { dir, choices: PERMISSIVE_OPTIONS });
    expect(assertResolved(kept).tables.map(({ target, isSide }) => [target, isSide])).toEqual([
      ["User", false],
      ["Session", false],
      ["Call", false],
      ["PostRead", false],
      ["Moved_User", true],
      ["Moved_Session", true],
      ["Moved_Bookmark", true],
      ["Moved_Log", true],
    ]);
    expect((await runPlannedMigration(url, kept, join(dir, "all.db"))).equal).toBe(true);
    const dropped = await planTestMigration(url, {
      dir,
      choices: { unknown: "drop", unfit: "aside" },
    });
    expect(assertResolved(dropped).tables.map(({ target }) => target)).toEqual([
      "User",
      "Session",
      "Call",
      "PostRead",
    ]);
    expect(
      formatIssues(dropped).filter((line) => line.includes("Left behind (--unknown drop)")),
    ).toHaveLength(4);
    expect((await runPlannedMigration(url, dropped, join(dir, "dropped.db"))).equal).toBe(true);
    const half = await planTestMigration(url, { dir, choices: { unknown: "keep", unfit: "stop" } });
    expect(() => assertResolved(half)).toThrow(/--unfit aside/);
  });

  test("a session stands in it as its hash, never as its id", async () => {
    const url = await site("infinite");
    const id = await readSourceId(url, "session", 3);
    const plan = JSON.stringify(await planTestMigration(url, { dir }));
    expect(plan).toContain(hashSessionId(id));
    expect(plan).not.toContain(id);
  });

  test("says whether members stay logged in, and what to set", async () => {
    const url = await site();
    expect(formatIssues(await planTestMigration(url, { dir })).join()).toMatch(
      /90 sessions, \d+ of them not expired.*must log in again.*OLD_COOKIE_SECRET, OLD_SESSION_COOKIE and OLD_CLIENT_COOKIE/,
    );
    expect(
      formatIssues(await planTestMigration(url, { dir, isOldCookieKnown: true })).join(),
    ).toMatch(/stay logged in.*OLD_SESSION_COOKIE/);
  });

  test("changes nothing: neither the source nor the disk", async () => {
    const url = await site("unknownColumns", "infinite");
    const look = `SELECT (SELECT md5(string_agg(u::text, '' ORDER BY id)) FROM public."User" u) AS users, (SELECT count(*) FROM pg_class)::text AS relations, (SELECT count(*) FROM pg_replication_slots)::text AS slots, (SELECT count(*) FROM pg_publication)::text AS publications, pg_current_xact_id_if_assigned()::text AS xact`;
    const before = await ask(url, look);
    const files = readdirSync(dir);
    await planTestMigration(url, { dir: join(dir, "not", "there"), choices: PERMISSIVE_OPTIONS });
    expect(await ask(url, look)).toEqual(before);
    expect(readdirSync(dir)).toEqual(files);
    expect(existsSync(join(dir, "not"))).toBe(false);
  });

  test("addresses that several members have stop it where nothing in Postgres forbids them", async () => {
    const url = await site();
    await runSql(url, `DROP INDEX "User.email_unique"`);
    expect(formatIssues(await planTestMigration(url, { dir })).join()).toMatch(
      /note: Nothing in Postgres keeps two members from having one e-mail address.*CREATE UNIQUE INDEX ON "public"."User" \("email"\);/,
    );
    await runSql(
      url,
      `UPDATE "User" SET "email" = 'same@example.com' WHERE "email" IN ('member3@example.com', 'member4@example.com')`,
    );
    const plan = await planTestMigration(url, { dir, choices: PERMISSIVE_OPTIONS });
    expect(formatIssues(plan).join()).toMatch(
      /stop: 1 e-mail address belongs to several members, 2 accounts in all/,
    );
    expect(formatIssues(plan).join()).toContain(await readSourceId(url, "user", 3));
    expect(JSON.stringify(plan)).not.toContain("same@");
    expect(isResolved(plan)).toBe(false);
  });

  test("a slot or publication of another move stops it, one of this move's own does not", async () => {
    const url = await site();
    await runSql(url, `SELECT pg_create_logical_replication_slot('${SLOT_NAME}', 'pgoutput')`);
    const other = await server.createDatabase();
    await createSourceSite(other);
    try {
      expect(formatIssues(await planTestMigration(url, { dir })).join()).toMatch(
        /stop: A replication slot named lectern_move is there already, of another move from this database.*run abort/,
      );
      expect(formatIssues(await planTestMigration(other, { dir })).join()).toMatch(
        /stop: .* of a move from the database site\d+ of the same server/,
      );
      const { source, tables } = await planTestMigration(url, { dir });
      const state = {
        version: 1,
        id: "x",
        system: source.system,
        database: source.database,
        mode: "stream",
        phase: "copying",
        choices: STRICT_OPTIONS,
        tables: tables.map(({ table }) => table),
        slot: SLOT_NAME,
        publication: SLOT_NAME,
        readOnly: null,
        stoppedAtMs: null,
        position: null,
        startedAtMs: 0,
      } as const;
      const begun = mkdtempSync(join(tmpdir(), "lectern-plan-"));
      saveState(join(begun, "site.db"), state);
      const again = await planTestMigration(url, { dir: begun });
      expect([
        isResolved(again),
        formatIssues(again).some((line) =>
          /note: A copy to .* was begun and not finished/.test(line),
        ),
      ]).toEqual([true, true]);
      expect(isResolved(await planTestMigration(other, { dir: begun }))).toBe(false);
      rmSync(begun, { recursive: true });
    } finally {
      await runSql(url, `SELECT pg_drop_replication_slot('${SLOT_NAME}')`);
    }
    await runSql(url, `CREATE PUBLICATION ${SLOT_NAME} FOR TABLE "User"`);
    expect(formatIssues(await planTestMigration(url, { dir })).join()).toMatch(
      /stop: A publication named lectern_move is there already/,
    );
  });
});
