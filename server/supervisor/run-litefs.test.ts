import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findFreePort } from "#tests/support/free-port.ts";
import { runLitefs, suppressRepeatedLines } from "./run-litefs.ts";
import { readSettings } from "#server/settings.ts";

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "litefs-"))));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a shell script as LiteFS. */
function settingsFor(script: string, killTimeoutSeconds = 30) {
  const program = join(folder, "litefs");
  writeFileSync(program, `#!/bin/sh\n${script}\n`);
  chmodSync(program, 0o755);
  return readSettings(
    {
      REPLICATION: "on",
      FLY_CONSUL_URL: "http://:hunter2@consul:8500",
      LITEFS_ADVERTISE_URL: "http://a",
      LITEFS_PROGRAM: program,
      KILL_TIMEOUT_SECONDS: String(killTimeoutSeconds),
    },
    folder,
  );
}
const run = (script: string, signal = new AbortController().signal, seconds?: number) =>
  runLitefs(settingsFor(script, seconds), { ...process.env }, signal);

test("the exit code is LiteFS's", async () => {
  expect(await run("exit 75")).toEqual({ code: 75, reason: "other", line: null });
});

test.each([
  'ERROR: cannot open store: open databases: open database("lectern.db"): recover ltx: database checksum d82 on TXID 0a does not match LTX post-apply checksum 802',
  'level=INFO msg="fatal error occurred while applying ltx to \\"lectern.db\\", exiting: database checksum 80 on TXID 0a does not match LTX post-apply checksum e3"',
])("a store that contradicts itself is recognized: %s", async (line) => {
  const printed = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const ended = await run(`cat >&2 <<'END'\n${line}\nEND\nexit 1`);
  expect(ended).toEqual({ code: 1, reason: "corrupt", line });
  expect(printed).toHaveBeenCalledWith(`${line}\n`);
});

test("a full disk does not count as a corrupt store", async () => {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  for (const line of [
    "ERROR: cannot open store: open databases: recover ltx: write: no space left on device",
    "fatal error occurred while applying ltx to lectern.db, exiting: no space left on device",
  ]) {
    expect(await run(`echo "${line}" >&2; exit 1`)).toEqual({ code: 1, reason: "full", line });
  }
});

test("an unreachable Consul does not count as a corrupt store", async () => {
  vi.spyOn(process.stderr, "write").mockReturnValue(true);
  expect(
    await run(
      `echo "ERROR: cannot init consul: cannot connect to consul: connection refused" >&2; exit 1`,
    ),
  ).toMatchObject({ reason: "other" });
});

test("Consul's token is not printed", async () => {
  const printed = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  await run(`echo "initializing consul: url=http://:hunter2@consul:8500" >&2`);
  expect(printed.mock.calls.flat().join("")).toContain("url=http://:…@consul");
});

test("it resolves when LiteFS's children have exited", async () => {
  const startedMs = performance.now();
  await run("sleep 0.7 & exit 1");
  expect(performance.now() - startedMs).toBeGreaterThan(600);
});

test("a LiteFS that does not exit in time is killed", async () => {
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const stop = new AbortController();
  const ended = run("trap '' TERM; while :; do sleep 0.1; done", stop.signal, 3);
  stop.abort();
  expect(await ended).toMatchObject({ code: 1 });
});

test("a LiteFS that no longer responds is killed, one that has not responded yet is not", async () => {
  const printed = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const port = await findFreePort();
  // On a busy machine, some of its answers are later than the interval, and don't count.
  const source = `
    let left = 10;
    const server = require("node:http").createServer((request, response) => {
      if (left-- > 0) response.end("{}");
      else process.kill(process.pid, "SIGSTOP");
    });
    setTimeout(() => server.listen(${port}, "127.0.0.1"), 1000);
  `;
  const settings = settingsFor(`exec '${process.execPath}' -e '${source}'`);
  const litefs = { ...settings.litefs, url: `http://127.0.0.1:${port}` };
  const startedMs = performance.now();
  expect(
    await runLitefs({ ...settings, litefs }, { ...process.env }, new AbortController().signal, 100),
  ).toMatchObject({ code: 1, reason: "other" });
  expect(performance.now() - startedMs).toBeGreaterThan(1_000);
  expect(printed.mock.calls.join("")).toContain("supervisor.litefs_hung");
});

test("LiteFS's repeated lines are printed once per interval with their count, all others always", () => {
  const lines: string[] = [];
  const print = suppressRepeatedLines((line) => lines.push(line), 0);
  const quiet = suppressRepeatedLines((line) => lines.push(line));
  for (const line of [
    "primary lease acquired",
    "primary lease acquired",
    "no primary, retrying",
    "no primary, retrying",
    "no primary, retrying",
  ])
    quiet(line);
  expect(lines).toEqual([
    "primary lease acquired",
    "primary lease acquired",
    "no primary, retrying",
  ]);
  lines.length = 0;
  for (let i = 0; i < 2; i++) print("no primary, retrying");
  expect(lines).toHaveLength(2);
});
