import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import Database from "better-sqlite3";
import { afterEach, expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { type TestServer, serveHttp, serveTcp } from "#tests/support/test-server.ts";
import { env } from "#lib/core/env.ts";
import { type NamedFinding, ok } from "./finding.ts";
import { checkRunningSite } from "./checks/running-site.ts";
import { checkSmtp } from "./checks/services.ts";
import { runChecks } from "./run-checks.ts";

const SECRET = "3f9c2a7be1d04856".repeat(4);

const open: TestServer[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((server) => server.close()));
});

async function runDoctor(args: readonly string[], variables: Record<string, string> = {}) {
  const { DATA_DIR, DATABASE_FILE } = env;
  const child = spawn(
    process.execPath,
    ["--disable-warning=ExperimentalWarning", "cli/doctor/main.ts", ...args],
    { env: { ...process.env, SESSION_SECRET: SECRET, DATA_DIR, DATABASE_FILE, ...variables } },
  );
  const [stdout, stderr, code] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    new Promise<number | null>((resolve) => child.once("close", resolve)),
  ]);
  return { stdout, stderr, code };
}

async function findFindings(args: readonly string[], variables: Record<string, string> = {}) {
  const { stdout, code } = await runDoctor(["--json", ...args], variables);
  const findings = JSON.parse(stdout) as NamedFinding[];
  return { code, findings, problems: findings.filter(({ level }) => level === "problem") };
}

test("a checkout with a migrated database has no problems, and nothing is created", async () => {
  const folder = join(mkdtempSync(join(tmpdir(), "lectern-doctor-")), "data");
  const { code, problems } = await findFindings([], { SESSION_SECRET: "" });
  expect(problems).toEqual([]);
  expect(code).toBe(0);
  const fresh = await findFindings([], {
    SESSION_SECRET: "",
    DATA_DIR: folder,
    DATABASE_FILE: join(folder, "lectern.db"),
  });
  expect(fresh.problems).toMatchObject([{ check: "machine", fix: `mkdir -p ${folder}` }]);
  expect(fresh.findings.map(({ what }) => what)).not.toContain("SESSION_SECRET is set");
  expect(existsSync(folder)).toBe(false);
  expect(readdirSync(env.DATA_DIR)).not.toContain("session-secret");
});

test("every finding has a reason and a fix, in the report too", async () => {
  const db = new Database(env.DATABASE_FILE);
  db.pragma("ignore_check_constraints = ON");
  db.exec(`INSERT INTO "UsedToken" ("nonce", "expiresAt") VALUES ('n', '2026-11-23 10:00:00')`);
  const variables = { FFMPEG_PATH: "/nonexistent/ffmpeg" };
  const { code, findings, problems } = await findFindings([], variables);
  const query = /"(SELECT .*)"$/.exec(problems[0]!.fix!)![1]!;
  expect(db.prepare(query).all()).toMatchObject([{ nonce: "n" }]);
  db.close();
  expect(code).toBe(1);
  expect(problems).toMatchObject([{ check: "database" }]);
  for (const { level, what, why, fix } of findings)
    if (level !== "ok") expect([what, why, fix]).not.toContain(undefined);
  const { stdout } = await runDoctor([], variables);
  expect(stdout).toMatch(
    /FAIL {2}.*UsedToken\.expiresAt: 1 value is not stored as integer\n {6}\S.*\n {6}Fix: .*sqlite3 /,
  );
  expect(stdout).toMatch(/note {2}no ffmpeg[^\n]*\n {6}.*podcast/);
});

test("invalid variables are all listed, and the checks that need none still run", async () => {
  const { code, findings, problems } = await findFindings([], {
    SITE_URL: "lectern",
    CACHE_MAX_MB: "many",
  });
  expect(code).toBe(1);
  expect(problems.map(({ what }) => what.split(":")[0])).toEqual(["SITE_URL", "CACHE_MAX_MB"]);
  expect(new Set(findings.map(({ check }) => check))).toEqual(
    new Set(["versions", "configuration", "deployment"]),
  );
});

test("npm run doctor lists invalid variables itself, and creates no folder", () => {
  const folder = join(mkdtempSync(join(tmpdir(), "lectern-doctor-")), "data");
  const { stdout, status } = spawnSync(process.execPath, ["scripts/cli.mjs", "doctor", "--json"], {
    encoding: "utf8",
    env: { ...process.env, SITE_URL: "lectern", SESSION_SECRET: "", DATA_DIR: folder },
  });
  const findings = JSON.parse(stdout) as NamedFinding[];
  expect(findings.filter(({ level }) => level === "problem")).toMatchObject([
    { check: "configuration", what: expect.stringContaining("SITE_URL") as string },
  ]);
  expect([status, existsSync(folder)]).toEqual([1, false]);
});

test("a mail server that refuses is a problem, and its password is not printed", async () => {
  const refusing = await serveTcp((socket) => void socket.end("554 no service\r\n"));
  open.push(refusing);
  overrideEnv({ SMTP_URL: `smtp://user:hunter2@${refusing.hostAndPort}` });
  const findings = await checkSmtp();
  overrideEnv({ SMTP_URL: undefined });
  expect(findings).toMatchObject([{ level: "problem" }]);
  expect(JSON.stringify(findings)).not.toContain("hunter2");
});

test("a check that blocks the process does not use up the time of another", async () => {
  const block = () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1_100);
    return [];
  };
  const respond = async () => {
    await readFile("package.json");
    return [ok("fine")];
  };
  const checks = [
    { name: "mail", run: respond },
    { name: "database", run: block },
  ];
  expect(await runChecks(checks, 1_000)).toMatchObject([{ check: "mail", level: "ok" }]);
});

test("a check that throws or hangs is one problem, and the others run", async () => {
  const findings = await runChecks(
    [
      { name: "broken", run: () => Promise.reject(new Error("no disk")) },
      { name: "hanging", run: () => new Promise(() => {}) },
      { name: "fine", run: () => [{ level: "ok", what: "fine" }] },
    ],
    50,
  );
  expect(findings.map(({ check, level }) => [check, level])).toEqual([
    ["broken", "problem"],
    ["hanging", "problem"],
    ["fine", "ok"],
  ]);
});

const READY = {
  ready: true,
  role: "primary",
  region: "dfw",
  behindMs: 0,
  standby: "connected",
  problems: [],
  degraded: [],
};

/** Starts a site that answers as `routes` say; anything else is 404. */
async function startSite(
  routes: Record<string, (request: IncomingMessage, response: ServerResponse) => void>,
): Promise<string> {
  const server = await serveHttp((request, response) => {
    const respond = routes[request.url ?? ""];
    if (respond) respond(request, response);
    else response.writeHead(404).end();
  });
  open.push(server);
  return server.origin;
}
const sends =
  (body: string | object, status = 200, headers: Record<string, string> = {}) =>
  (_: IncomingMessage, response: ServerResponse) =>
    void response
      .writeHead(status, headers)
      .end(typeof body === "string" ? body : JSON.stringify(body));

test("a healthy site has no problems, and its metrics are read with the token", async () => {
  const token = "token-of-the-monitoring";
  const site = await startSite({
    "/healthz": sends("ok"),
    "/readyz": sends(READY),
    "/metrics": ({ headers }, response) =>
      headers.authorization === `Bearer ${token}`
        ? sends('lectern_event_loop_delay_seconds{quantile="0.99"} 0.01\n')(response.req, response)
        : sends("", 401)(response.req, response),
  });
  overrideEnv({ METRICS_TOKEN: token });
  const findings = await checkRunningSite(site);
  overrideEnv({ METRICS_TOKEN: undefined });
  expect(findings.filter(({ level }) => level !== "ok")).toEqual([]);
  expect(findings.map(({ what }) => what)).toContainEqual(expect.stringContaining("/metrics"));
});

test("a site that is not ready, has a wrong clock or public metrics has one problem each", async () => {
  const site = await startSite({
    "/healthz": sends("ok", 200, { date: new Date(Date.now() - 600_000).toUTCString() }),
    "/readyz": sends({
      ...READY,
      ready: false,
      standby: "no standby is connected",
      behindMs: 60_000,
      problems: ["The database can't be read."],
      degraded: ["The disk is full, so nothing can be saved."],
    }),
    "/metrics": sends("lectern_uptime_seconds 1\n"),
  });
  const problems = (await checkRunningSite(site)).filter(({ level }) => level === "problem");
  const texts = problems.map(({ what }) => what).join("\n");
  for (const part of [
    "database can't be read",
    "disk is full",
    "no standby",
    "behind the primary",
    "clock:",
    "/metrics is public",
  ])
    expect(texts).toContain(part);
  expect(problems).toHaveLength(6);
});

test("a site that is down or never answers is one problem within seconds", async () => {
  const silent = await serveTcp(() => {});
  open.push(silent);
  const closed = await serveTcp(() => {});
  await closed.close();
  expect(await checkRunningSite(closed.origin)).toMatchObject([{ level: "problem" }]);
  const { code, findings } = await findFindings(["--url", silent.origin]);
  expect(code).toBe(1);
  expect(findings).toMatchObject([{ check: "running site", level: "problem" }]);
});

test("a wrong option or address exits with 2", async () => {
  for (const args of [["--unknown"], ["--url", "file:///etc"]])
    expect((await runDoctor(args)).code).toBe(2);
});
