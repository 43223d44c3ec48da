import { chmodSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { expect, test } from "vitest";
import { serveTcp } from "#tests/support/test-server.ts";
import { env } from "#lib/core/env.ts";
import type { Finding } from "../finding.ts";
import { findMistypedValues } from "../mistyped-values.ts";
import { checkBackupStatus } from "./backup.ts";
import { checkLease, checkNodeStatus, checkSameEverywhere } from "./cluster.ts";
import { checkEnvFile, checkProduction, checkSecrets, checkVariables } from "./configuration.ts";
import { checkDatabase } from "./database.ts";
import { checkFlyToml, checkLitefsYml } from "./deployment.ts";
import { checkClock, checkDisk, checkFileDescriptors, checkMemory } from "./machine.ts";
import { checkMetrics, isPortOpen } from "./running-site.ts";
import { checkLitefs, checkNode, checkSqlite } from "./versions.ts";

const levels = (findings: Finding[]) => findings.map(({ level }) => level);
const problemsOf = (findings: Finding[]) =>
  findings.filter(({ level }) => level === "problem").map(({ what }) => what);

test("an outdated Node, SQLite or LiteFS is reported", () => {
  expect(levels(checkNode("24.1.0", "24"))).toEqual(["ok"]);
  expect(levels(checkNode("20.20.0", "24"))).toEqual(["problem"]);
  expect(levels(checkSqlite("better-sqlite3", "3.51.3", true))).toEqual(["ok"]);
  expect(levels(checkSqlite("better-sqlite3", "3.51.2", true))).toEqual(["problem"]);
  expect(levels(checkSqlite("better-sqlite3", "3.9.20", true))).toEqual(["problem"]);
  expect(levels(checkSqlite("the program sqlite3", "3.40.1", false))).toEqual(["note"]);
  expect(checkLitefs(null)).toEqual([]);
  expect(levels(checkLitefs("LiteFS v0.5.14, commit=abc"))).toEqual(["ok"]);
  expect(levels(checkLitefs("LiteFS v0.5.11, commit=abc"))).toEqual(["problem"]);
  expect(levels(checkLitefs("LiteFS development build"))).toEqual(["note"]);
});

test("too little disk, memory or file descriptors, and a wrong clock, are reported", () => {
  expect(levels(checkDisk("/data", 10e9, 1e6))).toEqual(["ok"]);
  expect(levels(checkDisk("/data", 1e9, 900e6))).toEqual(["note"]);
  expect(levels(checkDisk("/data", 50e6, 1e6))).toEqual(["problem"]);
  expect(levels(checkDisk("/nowhere", null, 0))).toEqual(["problem"]);
  expect(levels(checkMemory(1e9, 500e6))).toEqual(["ok"]);
  expect(levels(checkMemory(1e9, 100e6))).toEqual(["note"]);
  expect(levels(checkMemory(256e6, 200e6))).toEqual(["problem"]);
  expect(levels(checkFileDescriptors(1_048_576))).toEqual(["ok"]);
  expect(levels(checkFileDescriptors(1_024))).toEqual(["problem"]);
  expect(levels(checkClock("ams-1", 900))).toEqual(["ok"]);
  expect(levels(checkClock("ams-1", -8_000))).toEqual(["note"]);
  expect(levels(checkClock("ams-1", 45_000))).toEqual(["problem"]);
});

const flyToml = readFileSync("fly.toml", "utf8");
const litefsYml = readFileSync("litefs.yml", "utf8");

test("the repository's fly.toml and litefs.yml follow every rule", () => {
  expect(levels(checkFlyToml(flyToml))).toEqual(["ok"]);
  expect(levels(checkLitefsYml(litefsYml))).toEqual(["ok"]);
});

test.each([
  ["machines stop", 'auto_stop_machines = "off"', 'auto_stop_machines = "suspend"'],
  ["public port", "[[vm]]", "[[services]]\n  internal_port = 20202\n[[vm]]"],
  ["public port", "internal_port = 8080", "internal_port = 20202"],
  ["kill_timeout", "kill_timeout = 60", "kill_timeout = 5"],
  ["kill_timeout", "kill_timeout = 60\n", ""],
  ["KILL_TIMEOUT_SECONDS", 'KILL_TIMEOUT_SECONDS = "60"', 'KILL_TIMEOUT_SECONDS = "90"'],
  ["kill_signal", 'kill_signal = "SIGTERM"', 'kill_signal = "SIGINT"'],
  ["primary_region", 'primary_region = "dfw"\n', ""],
  ["release_command", "[deploy]", '[deploy]\n  release_command = "migrate"'],
  ["strategy", 'strategy = "rolling"', 'strategy = "bluegreen"'],
  ["no volume", 'destination = "/data"', 'destination = "/elsewhere"'],
  ["/readyz", 'path = "/readyz"', 'path = "/"'],
  ["TRUST_PROXY", '  TRUST_PROXY = "fly"\n', ""],
  ["a secret", "[env]", '[env]\n  SESSION_SECRET = "x"'],
  ["a secret", "[env]", '[env]\n  BACKUP_KEY = "x"'],
  ["[metrics]", "[[vm]]", '[metrics]\n  port = 8080\n  path = "/metrics"\n[[vm]]'],
])("fly.toml: %s", (name, from, to) => {
  expect(flyToml).toContain(from);
  const problems = problemsOf(checkFlyToml(flyToml.replace(from, to)));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(name);
});

test("kill_timeout may be a duration, as fly config save writes it", () => {
  for (const duration of ["1m0s", "60s", "5m", "0h1m0s"])
    expect(
      levels(checkFlyToml(flyToml.replace("kill_timeout = 60", `kill_timeout = "${duration}"`))),
    ).toEqual(["ok"]);
});

test.each([
  ["two folders", 'dir: "${LITEFS_DATA_DIR}"', 'dir: "${FLY_LITEFS_DIR}"'],
  ["lease.type", 'type: "consul"', 'type: "static"'],
  ["candidate", "candidate: ${LITEFS_CANDIDATE == 'true'}", "candidate: true"],
  ["proxy", "skip-sync: true", 'skip-sync: true\nproxy:\n  addr: ":8080"'],
  ["exec", 'cmd: "node server/launcher/main.ts"', 'cmd: "npm start"'],
  ["skip-sync", "skip-sync: true", "skip-sync: false"],
  ["http.addr", 'addr: "${LITEFS_ADDR}"', 'addr: ":9999"'],
])("litefs.yml: %s", (name, from, to) => {
  expect(litefsYml).toContain(from);
  const problems = problemsOf(checkLitefsYml(litefsYml.replace(from, to)));
  expect(problems).toHaveLength(1);
  expect(problems[0]).toContain(name);
});

test("each invalid variable is a separate problem, with the variable in its fix", () => {
  const findings = checkVariables({
    DATA_DIR: env.DATA_DIR,
    PORT: "none",
    CONTENT_SOURCE: "git",
    SESSION_SECRET: "short",
  });
  expect(levels(findings)).toEqual(["problem", "problem"]);
  expect(findings[0]!.fix).toContain("SESSION_SECRET");
  expect(findings[1]!.fix).toContain("PORT");
});

test("a misspelled variable and a readable file of secrets are noted", () => {
  const file = join(mkdtempSync(join(tmpdir(), "lectern-doctor-")), ".env");
  writeFileSync(file, "SITE_ULR=https://example.com\nSITE_URL=\nCHROMIUM_PATH=/x\nSEED=off\n", {
    mode: 0o600,
  });
  expect(checkEnvFile(file).map(({ what }) => what)).toEqual([expect.stringContaining("SITE_ULR")]);
  chmodSync(file, 0o644);
  expect(checkEnvFile(file)).toHaveLength(2);
  expect(checkEnvFile(`${file}.missing`)).toEqual([]);
});

test("a public site without an address, HTTPS, or a mail server is a problem", () => {
  const site = {
    NODE_ENV: "production",
    IS_SITE_URL_DEFAULT: false,
    SITE_URL: "https://example.com",
    SMTP_URL: "smtp://mail",
    TRUST_PROXY: "fly",
    METRICS_TOKEN: ["x"],
  } as const;
  const check = (changes: object) =>
    problemsOf(checkProduction({ ...site, ...changes } as unknown as typeof env));
  expect(check({})).toEqual([]);
  expect(check({ IS_SITE_URL_DEFAULT: true })).toHaveLength(1);
  expect(check({ SITE_URL: "http://example.com" })).toHaveLength(1);
  expect(check({ SMTP_URL: undefined })).toHaveLength(1);
  // A trial on the owner's machine needs none of it.
  expect(
    check({ NODE_ENV: "development", SITE_URL: "http://localhost:3000", SMTP_URL: undefined }),
  ).toEqual([]);
});

test("a secret that is easy to guess or readable by others is a problem, and is not printed", () => {
  const file = join(mkdtempSync(join(tmpdir(), "lectern-doctor-")), "session-secret");
  writeFileSync(file, "3f9c2a7be1d04856".repeat(4), { mode: 0o600 });
  const strong = "3f9c2a7be1d04856".repeat(4);
  expect(levels(checkSecrets({ SESSION_SECRET: strong }, file))).toEqual(["ok"]);
  for (const weak of [
    "a".repeat(40),
    "change-me-change-me-change-me-change-me",
    "my-secret-0123456789abcdefghijklmnop",
  ]) {
    const findings = checkSecrets({ SESSION_SECRET: weak }, file);
    expect(levels(findings), weak).toEqual(["problem"]);
    expect(JSON.stringify(findings)).not.toContain(weak);
  }
  expect(levels(checkSecrets({ METRICS_TOKEN: "1".repeat(20) }, file))).toEqual(["problem", "ok"]);
  chmodSync(file, 0o644);
  expect(levels(checkSecrets({}, file))).toEqual(["problem"]);
});

test("each kind of damage to the database is reported", () => {
  const root = process.cwd();
  const damaged = (statements: string): string[] => {
    const file = join(mkdtempSync(join(tmpdir(), "lectern-doctor-")), "lectern.db");
    const source = new Database(env.DATABASE_FILE, { readonly: true });
    source.exec(`VACUUM INTO '${file}'`);
    source.close();
    const db = new Database(file);
    db.pragma("journal_mode = WAL");
    db.pragma("foreign_keys = OFF");
    db.pragma("ignore_check_constraints = ON");
    db.exec(statements);
    db.close();
    return problemsOf(checkDatabase(file, root));
  };
  expect(damaged("")).toEqual([]);
  for (const [name, statements] of [
    ["journal mode delete", "PRAGMA journal_mode = DELETE"],
    [
      "page size 8192",
      "PRAGMA journal_mode = DELETE; PRAGMA page_size = 8192; VACUUM; PRAGMA journal_mode = WAL",
    ],
    [
      "references a missing row",
      `INSERT INTO "Session" ("id", "userId", "createdAt", "expirationDate") VALUES ('s', 'nobody', 1, 2)`,
    ],
    [
      "is not stored as integer",
      `INSERT INTO "UsedToken" ("nonce", "expiresAt") VALUES ('n', 'tomorrow')`,
    ],
    [
      "1 migrations are not applied",
      `DELETE FROM "_prisma_migrations" WHERE "migration_name" = (SELECT max("migration_name") FROM "_prisma_migrations")`,
    ],
    [
      "applied with other contents",
      `UPDATE "_prisma_migrations" SET "checksum" = 'x' WHERE "migration_name" = (SELECT max("migration_name") FROM "_prisma_migrations")`,
    ],
    [
      "migrated by newer code",
      `INSERT INTO "_prisma_migrations" ("id", "checksum", "migration_name", "finished_at", "started_at") VALUES ('n', 'x', '29990101000000_later', 1, 1)`,
    ],
  ] as const) {
    const problems = damaged(statements);
    expect(problems, name).toHaveLength(1);
    expect(problems[0]).toContain(name);
  }
});

test("a corrupt page is found", () => {
  const file = join(mkdtempSync(join(tmpdir(), "lectern-doctor-")), "lectern.db");
  const source = new Database(env.DATABASE_FILE, { readonly: true });
  source.exec(`VACUUM INTO '${file}'`);
  source.close();
  const db = new Database(file);
  db.pragma("journal_mode = WAL");
  const { rootpage } = db
    .prepare(`SELECT rootpage FROM sqlite_schema WHERE name = 'User'`)
    .get() as { rootpage: number };
  db.close();
  const bytes = readFileSync(file);
  bytes.fill(0xa5, (rootpage - 1) * 4_096, rootpage * 4_096);
  writeFileSync(file, bytes);
  expect(problemsOf(checkDatabase(file, process.cwd())).join()).toContain("quick_check");
});

test("values of the wrong type are reported by table, column and count", () => {
  const db = new Database(env.DATABASE_FILE);
  expect(findMistypedValues(db)).toEqual([]);
  db.pragma("ignore_check_constraints = ON");
  const insertRead = db.prepare(
    `INSERT INTO "PostRead" ("id", "createdAt", "clientId", "postSlug") VALUES (?, ?, 'client', 'a')`,
  );
  for (const id of ["1", "2"]) insertRead.run(id, "2026-11-23T10:00:00.000Z");
  insertRead.run("3", 1_764_000_000_000);
  expect(findMistypedValues(db)).toMatchObject([
    { table: "PostRead", column: "createdAt", expected: "integer", count: 2 },
  ]);
  db.close();
});

test("a lost or foreign lease, and a node that lags or has no standby, are problems", () => {
  const lease = { clusterIdOnDisk: "A", clusterIdInConsul: "A", holder: "dfw-1", primary: "dfw-1" };
  expect(problemsOf(checkLease(lease))).toEqual([]);
  expect(problemsOf(checkLease({ ...lease, clusterIdInConsul: "B" }))).toHaveLength(1);
  expect(problemsOf(checkLease({ ...lease, clusterIdInConsul: null }))).toHaveLength(1);
  expect(problemsOf(checkLease({ ...lease, holder: null }))).toHaveLength(1);
  expect(levels(checkLease({ ...lease, primary: "dfw-2" }))).toContain("note");
  const node = {
    role: "replica",
    candidate: true,
    lagMs: 4,
    silenceMs: 500,
    version: "1",
    contentVersion: "2",
    standbys: [],
  } as const;
  expect(problemsOf(checkNodeStatus("ams-1", { ...node, standbys: [] }))).toEqual([]);
  expect(
    problemsOf(checkNodeStatus("ams-1", { ...node, standbys: [], silenceMs: 60_000 })),
  ).toHaveLength(1);
  expect(
    problemsOf(checkNodeStatus("ams-1", { ...node, standbys: [], role: "unknown" })),
  ).toHaveLength(1);
  expect(
    problemsOf(checkNodeStatus("dfw-1", { ...node, standbys: [], role: "primary" })),
  ).toHaveLength(1);
  const standbys = [{ instance: "dfw-2", isStalled: false }];
  expect(problemsOf(checkNodeStatus("dfw-1", { ...node, role: "primary", standbys }))).toEqual([]);
});

test("instances that serve different content are listed", () => {
  const same = new Map([
    ["a", "1"],
    ["b", "1"],
  ] as const);
  expect(problemsOf(checkSameEverywhere("content version", same))).toEqual([]);
  const different = new Map([
    ["a", "1"],
    ["b", null],
  ] as const);
  expect(problemsOf(checkSameEverywhere("content version", different))).toEqual([
    "content version: a 1, b none",
  ]);
});

test("a missing or old backup, and a failed drill, are problems", () => {
  const now = Date.now();
  const drill = {
    startedAtMs: now - 3_600_000,
    instance: "ams-1",
    problems: [] as string[],
    restoreMs: 1,
    totalMs: 2,
    bytes: 3,
    rows: 4,
    stateAtMs: now - 3_600_000,
  };
  const status = {
    completeAtMs: now - 20_000,
    snapshotAtMs: now,
    writer: "dfw-1",
    problem: null,
    drill,
    pid: 1,
    updatedAtMs: now,
  };
  const what = (changes: object) => problemsOf(checkBackupStatus({ ...status, ...changes }, now));
  expect(what({})).toEqual([]);
  expect(problemsOf(checkBackupStatus(null, now))).toHaveLength(1);
  expect(what({ completeAtMs: null })).toHaveLength(1);
  expect(what({ completeAtMs: now - 3_600_000, problem: "403 from the store" })).toEqual([
    expect.stringContaining("403 from the store"),
  ]);
  expect(what({ drill: { ...drill, problems: ["rows differ"] } })).toHaveLength(1);
  expect(what({ drill: { ...drill, startedAtMs: now - 40 * 86_400_000 } })).toHaveLength(1);
});

test("a blocked event loop and an open port are found", async () => {
  const delay = (value: string) =>
    `lectern_event_loop_delay_seconds{quantile="0.5"} 0\nlectern_event_loop_delay_seconds{quantile="0.99"} ${value}\n`;
  expect(problemsOf(checkMetrics(delay("0.02")))).toEqual([]);
  expect(problemsOf(checkMetrics(delay("1.9")))).toHaveLength(1);
  const server = await serveTcp(() => {});
  const port = Number(server.hostAndPort.split(":")[1]);
  expect(await isPortOpen("127.0.0.1", port)).toBe(true);
  await server.close();
  expect(await isPortOpen("127.0.0.1", port)).toBe(false);
});
