import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { formatPlan } from "./format-plan.ts";
import { assertResolved, isResolved } from "./plan.ts";
import { connectSource, readRows } from "./source-connection.ts";
import { createState, saveState } from "./migration-state.ts";
import { hashSecret } from "#lib/core/secret.ts";
import {
  ODDITIES,
  createSourceDatabase,
  readSourceId,
  runSql,
} from "#tests/support/source-site.ts";
import {
  PERMISSIVE_OPTIONS,
  runPlannedMigration,
  planTestMigration,
  formatIssues,
} from "#tests/support/planned-migration-fixture.ts";
import { type TestPostgres, startPostgres } from "#tests/support/postgres.ts";
import { findPostgres } from "../../scripts/find-postgres.mjs";
import { SLOT_NAME } from "./replication-slot.ts";
import { DEFAULT_OPTIONS } from "./options.ts";

type Odd = keyof typeof ODDITIES;

/** The issues that each oddity causes without options. */
const EXPECTED_ISSUES: Record<Odd, RegExp[]> = {
  microseconds: [/^note: PostRead.createdAt: 2,000 rows have microseconds/],
  zoned: [/^note: Dates become integer milliseconds/],
  infinite: [
    /^choice: 1 row of Session .*expirationDate is infinite.*--invalid-rows quarantine/,
    /^choice: 1 row of PostRead .*createdAt is infinite/,
  ],
  ancient: [
    /^choice: 1 row of User .*createdAt is not in the years 1 to 9999/,
    /^choice: 12 rows of PostRead .*its User is missing, or is invalid itself/,
  ],
  extraLabel: [/^note: User.team allows GREEN.*No row uses it/],
  greenMember: [
    /^choice: 1 row of User .*team is not one of RED, BLUE, YELLOW/,
    /^choice: 2 rows of Session .*its User is missing/,
    /^choice: 1 row of Call/,
  ],
  textRole: [/^choice: 1 row of User .*role is not one of ADMIN, MEMBER/],
  capitals: [
    /^note: 1 email address belongs to several members in different case, 2 accounts.* and twin\./,
  ],
  orphans: [
    /^choice: 1 row of Session .*its User is missing/,
    /^choice: 1 row of PostRead .*its User is missing/,
  ],
  unknownColumns: [
    /^choice: User has 3 columns that this site does not have: nickname \(text\), score \(numeric\(10,2\)\) and settings \(jsonb\).*--unknown keep copies them as text into the table _source_User.*--unknown drop/,
  ],
  unknownSessionColumn: [/^choice: Session has 1 column .*userAgent/],
  unknownTable: [/^choice: This site has no table for Bookmark \(3 columns\).*_source_Bookmark/],
  unknownTableWithoutKey: [/^choice: This site has no table for Log \(1 column\)/],
  emptySlug: [/^choice: 1 row of PostRead .*postSlug is empty/],
  noTeam: [/^choice: 1 row of User .*team is null/],
  uuids: [/^note: These become text.*PostRead.id \(uuid\) and PostRead.clientId \(uuid\)/],
  citext: [/^note: These become text.*User.email \(public.citext\)/],
  dateOnly: [/^note: Session.expirationDate is a date without a time/],
  view: [/^note: Not migrated, views have no rows of their own: Reader/],
  partitions: [/^note: Not migrated, used only by tools of the source site: _prisma_migrations\.$/],
  missingColumn: [/^note: User has no column convertKitId: it stays empty/],
  missingTable: [/^note: There is no table Call/],
  noKey: [/^stop: PostRead has no key.*ALTER TABLE "public"."PostRead" ADD PRIMARY KEY \("id"\);/],
  wrongType: [/^note: These become text.*User.discordId \(bigint\)/],
  bigCall: [/^note: Enums become text: User.role and User.team/],
};

/** Without invalid rows. One test migrates all of them together. */
const MIGRATED_TOGETHER: readonly Odd[] = [
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
];

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
    const url = await createSourceDatabase(server);
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

  test("lists the tables of a regular site without open choices", async () => {
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
      'SELECT system_identifier::text AS "systemIdentifier", current_database() AS database FROM pg_control_system()',
    );
    expect(plan.source).toMatchObject({
      mode: "stream",
      streamObstacles: [],
      encoding: "UTF8",
      walLevel: "logical",
      hasPartitions: false,
      ...server_,
    });
    expect(plan.source.version).toMatch(/^\d+\.\d+$/);
    expect(plan.time.copySeconds).toBeLessThan(10);
    expect(plan.diskSpace).toMatchObject({ folder: dir });
    expect(plan.diskSpace.freeBytes).toBeGreaterThan(plan.diskSpace.neededBytes);
    expect((await runPlannedMigration(url, plan, join(dir, "plain.db"))).isEqual).toBe(true);
  });

  test.each(Object.keys(EXPECTED_ISSUES) as Odd[])(
    "reports an oddity, and migrates it by the chosen options: %s",
    async (odd) => {
      const url = await site(...(odd === "greenMember" ? (["extraLabel", odd] as const) : [odd]));
      const plan = await planTestMigration(url, { dir });
      const lines = formatIssues(plan);
      for (const pattern of EXPECTED_ISSUES[odd])
        expect(
          lines.find((line) => pattern.test(line)),
          `${pattern} in ${lines.join("\n")}`,
        ).toBeDefined();
      const blocking = plan.issues.filter(({ level }) => level !== "note");
      expect(isResolved(plan)).toBe(blocking.length === 0);
      for (const { text, fix } of blocking)
        expect(() => assertResolved(plan)).toThrow(`${text} ${fix}`);
      expect(formatPlan(plan).join("\n")).not.toMatch(
        /postgres:|127\.0\.0\.1|@example|Ada|nobody/i,
      );

      if (odd === "noKey") await runSql(url, blocking[0]!.fix!);
      const chosen = await planTestMigration(url, { dir, options: PERMISSIVE_OPTIONS });
      expect([
        isResolved(chosen),
        formatIssues(chosen).filter((line) => !line.startsWith("note")),
      ]).toEqual([true, []]);
      if (MIGRATED_TOGETHER.includes(odd)) return;
      const file = join(dir, `${odd}.db`);
      const { isEqual, tables } = await runPlannedMigration(url, chosen, file);
      expect(tables.flatMap(({ differences }) => differences)).toEqual([]);
      expect([isEqual, tables.length > 3 || odd === "missingTable"]).toEqual([true, true]);
      expect(tables.map(({ target, source }) => [target, source.rows])).toEqual(
        chosen.tables.map(({ table, rows }) => [table.target, rows]),
      );

      // The quarantine matches the plan's counts, reason by reason.
      const db = new Database(file, { readonly: true });
      const quarantined = db
        .prepare(
          `SELECT "source" || ': ' || "reason" || ' ' || count(*) FROM "_quarantined_rows" GROUP BY "source", "reason" ORDER BY 1`,
        )
        .pluck()
        .all();
      const keys = new Set(
        db.prepare(`SELECT "source" || ' ' || "key" FROM "_quarantined_rows"`).pluck().all(),
      );
      db.close();
      const counted = plan.issues
        .filter(({ topic }) => topic === "rows")
        .map(({ text }) => {
          const [, rows, source, why] =
            /^([\d,]+) rows? of (\w+) (?:is|are) invalid here: (.*?)(?:, or is invalid itself)?\. [A-Z]/.exec(
              text,
            )!;
          for (const key of text
            .split(/keys?: /)[1]!
            .replace(/\.$/, "")
            .split(", "))
            expect(keys).toContain(`${source} ${key}`);
          return `${source}: ${why} ${rows!.replaceAll(",", "")}`;
        });
      expect(counted.sort()).toEqual(quarantined);
    },
  );

  test("handles all oddities together, and drop leaves out what keep keeps", async () => {
    const url = await site(
      "extraLabel",
      "greenMember",
      "infinite",
      "ancient",
      "orphans",
      "emptySlug",
      "noTeam",
      ...MIGRATED_TOGETHER,
    );
    const undecided = await planTestMigration(url, { dir });
    expect(undecided.issues.filter(({ level }) => level === "choice").length).toBeGreaterThan(10);
    expect(undecided.tables.map(({ table }) => table.target)).toEqual([
      "User",
      "Session",
      "Call",
      "PostRead",
    ]);
    const permissive = await planTestMigration(url, { dir, options: PERMISSIVE_OPTIONS });
    expect(assertResolved(permissive).tables.map(({ target, isSide }) => [target, isSide])).toEqual(
      [
        ["User", false],
        ["Session", false],
        ["Call", false],
        ["PostRead", false],
        ["_source_User", true],
        ["_source_Session", true],
        ["_source_Bookmark", true],
        ["_source_Log", true],
      ],
    );
    expect((await runPlannedMigration(url, permissive, join(dir, "all.db"))).isEqual).toBe(true);
    const dropped = await planTestMigration(url, {
      dir,
      options: { unknown: "drop", invalidRows: "quarantine" },
    });
    expect(assertResolved(dropped).tables.map(({ target }) => target)).toEqual([
      "User",
      "Session",
      "Call",
      "PostRead",
    ]);
    expect(
      formatIssues(dropped).filter((line) => line.includes("Left out (--unknown drop)")),
    ).toHaveLength(4);
    expect((await runPlannedMigration(url, dropped, join(dir, "dropped.db"))).isEqual).toBe(true);
    const half = await planTestMigration(url, {
      dir,
      options: { unknown: "keep", invalidRows: "stop" },
    });
    expect(() => assertResolved(half)).toThrow(/--invalid-rows quarantine/);
  });

  test("contains session ids only as hashes", async () => {
    const url = await site("infinite");
    const id = await readSourceId(url, "session", 3);
    const plan = JSON.stringify(await planTestMigration(url, { dir }));
    expect(plan).toContain(hashSecret(id));
    expect(plan).not.toContain(id);
  });

  test("tells whether members stay logged in, and what to set", async () => {
    const url = await site();
    expect(formatIssues(await planTestMigration(url, { dir })).join()).toMatch(
      /90 sessions, \d+ of them not expired.*must log in again.*LEGACY_COOKIE_SECRET, LEGACY_SESSION_COOKIE and LEGACY_CLIENT_COOKIE/,
    );
    expect(
      formatIssues(await planTestMigration(url, { dir, hasLegacyCookieSecret: true })).join(),
    ).toMatch(/stay logged in.*LEGACY_SESSION_COOKIE/);
  });

  test("changes neither the source nor the disk", async () => {
    const url = await site("unknownColumns", "infinite");
    const fingerprint = `SELECT (SELECT md5(string_agg(u::text, '' ORDER BY id)) FROM public."User" u) AS users, (SELECT count(*) FROM pg_class)::text AS relations, (SELECT count(*) FROM pg_replication_slots)::text AS slots, (SELECT count(*) FROM pg_publication)::text AS publications, pg_current_xact_id_if_assigned()::text AS xact`;
    const before = await ask(url, fingerprint);
    const files = readdirSync(dir);
    await planTestMigration(url, { dir: join(dir, "not", "there"), options: PERMISSIVE_OPTIONS });
    expect(await ask(url, fingerprint)).toEqual(before);
    expect(readdirSync(dir)).toEqual(files);
    expect(existsSync(join(dir, "not"))).toBe(false);
  });

  test("blocks on duplicate email addresses, and notes a missing unique index", async () => {
    const url = await site();
    await runSql(url, `DROP INDEX "User.email_unique"`);
    expect(formatIssues(await planTestMigration(url, { dir })).join()).toMatch(
      /note: PostgreSQL does not enforce unique email addresses.*CREATE UNIQUE INDEX ON "public"."User" \("email"\);/,
    );
    await runSql(
      url,
      `UPDATE "User" SET "email" = 'same@example.com' WHERE "email" IN ('member3@example.com', 'member4@example.com')`,
    );
    const plan = await planTestMigration(url, { dir, options: PERMISSIVE_OPTIONS });
    expect(formatIssues(plan).join()).toMatch(
      /stop: 1 email address belongs to several members, 2 accounts in total/,
    );
    expect(formatIssues(plan).join()).toContain(await readSourceId(url, "user", 3));
    expect(JSON.stringify(plan)).not.toContain("same@");
    expect(isResolved(plan)).toBe(false);
  });

  test("blocks on another migration's slot or publication, not on its own", async () => {
    const url = await site();
    await runSql(url, `SELECT pg_create_logical_replication_slot('${SLOT_NAME}', 'pgoutput')`);
    const other = await createSourceDatabase(server);
    try {
      expect(formatIssues(await planTestMigration(url, { dir })).join()).toMatch(
        /stop: A replication slot named lectern_migration already exists, from another migration of this database.*run abort/,
      );
      expect(formatIssues(await planTestMigration(other, { dir })).join()).toMatch(
        /stop: .* from a migration of the database site\d+ on the same server/,
      );
      const { source, tables } = await planTestMigration(url, { dir });
      const state = createState({
        id: "x",
        systemIdentifier: source.systemIdentifier,
        database: source.database,
        mode: "stream",
        phase: "copying",
        options: DEFAULT_OPTIONS,
        tables: tables.map(({ table }) => table),
        slot: SLOT_NAME,
        publication: SLOT_NAME,
        readOnly: null,
        stoppedAtMs: null,
        position: null,
      });
      const stateDir = mkdtempSync(join(tmpdir(), "lectern-plan-"));
      saveState(join(stateDir, "site.db"), state);
      const ownPlan = await planTestMigration(url, { dir: stateDir });
      expect([
        isResolved(ownPlan),
        formatIssues(ownPlan).some((line) => /note: A copy to .* was interrupted/.test(line)),
      ]).toEqual([true, true]);
      expect(isResolved(await planTestMigration(other, { dir: stateDir }))).toBe(false);
      rmSync(stateDir, { recursive: true });
    } finally {
      await runSql(url, `SELECT pg_drop_replication_slot('${SLOT_NAME}')`);
    }
    await runSql(url, `CREATE PUBLICATION ${SLOT_NAME} FOR TABLE "User"`);
    expect(formatIssues(await planTestMigration(url, { dir })).join()).toMatch(
      /stop: A publication named lectern_migration already exists/,
    );
  });
});
