import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findFreePort } from "#tests/support/free-port.ts";
import { type SiteProcessOptions, startSiteProcess } from "./site-process.ts";
import { readSettings } from "#server/settings.ts";

const PAUSE_MS = 50;

let folder: string;
let port: number;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "site-"));
  port = await findFreePort();
  vi.spyOn(process.stdout, "write").mockReturnValue(true);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A fake site: /slow takes a second; after SIGTERM it exits with 143 when it is idle. */
const SITE = `
  import { createServer } from "node:http";
  import { parseArgs } from "node:util";
  const option = { type: "string" };
  const { values } = parseArgs({ options: { hostname: option, port: option } });
  const server = createServer((request, response) => setTimeout(() => response.end(JSON.stringify({ host: values.hostname, uid: process.getuid(), pid: process.pid, pings, flags: process.execArgv })), request.url === "/slow" ? 1000 : 0));
  server.on("request", (request) => { if (request.url === "/loop") endlessLoop(); });
  function endlessLoop() { for (;;); }
  let pings = 0;
  process.on("message", (message) => {
    if (message.kind !== "ping") return;
    pings += 1;
    process.send({ kind: "pong", id: message.id });
  });
  process.on("SIGTERM", () => server.close(() => process.exit(143)));
  server.listen(values.port, values.hostname);
`;

function start(site: string, env: Record<string, string> = {}, options: SiteProcessOptions = {}) {
  mkdirSync(join(folder, "server"));
  writeFileSync(join(folder, "server", "site.ts"), site);
  const settings = readSettings(
    { HOST: "127.0.0.1", PORT: String(port), DATA_DIR: folder, ...env },
    folder,
  );
  return startSiteProcess(settings, process.env, ["--max-semi-space-size=16"], {
    pauseMs: PAUSE_MS,
    ...options,
  });
}

interface Said {
  pid: number;
  pings: number;
  messages?: unknown[];
  host: string;
  uid: number;
  flags: string[];
}

async function get(path: string): Promise<Said> {
  return vi.waitFor(
    async () => (await fetch(`http://127.0.0.1:${port}${path}`)).json() as Promise<Said>,
    { timeout: 10_000, interval: 50 },
  );
}

/** The launcher's log events named `event`. */
const logged = (event: string) =>
  vi
    .mocked(process.stdout.write)
    .mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>)
    .filter((line) => line.event === event);

test("the site binds to HOST, with the flags of a server", async () => {
  const server = start(SITE);
  expect(await get("/")).toMatchObject({
    host: "127.0.0.1",
    flags: expect.arrayContaining(["--max-semi-space-size=16"]) as string[],
  });
  await server.drain(5_000);
});

test.skipIf(process.getuid?.() !== 0)("the site runs as the given user", async () => {
  // The folder is owned by root.
  chmodSync(folder, 0o755);
  const server = start(SITE, { APP_UID: "65534" });
  expect(await get("/")).toMatchObject({ uid: 65_534 });
  await server.drain(5_000);
});

test("draining finishes a running request and refuses new ones", async () => {
  const server = start(SITE);
  await get("/");
  const slow = fetch(`http://127.0.0.1:${port}/slow`);
  // The site handles a later request on another connection after it.
  await new Promise((resolve) => setImmediate(resolve));
  await get("/");
  const drained = server.drain(5_000);
  expect((await slow).status).toBe(200);
  await drained;
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

test("a site that does not exit is killed", async () => {
  const server = start(SITE.replace("server.close(() => process.exit(143))", "{}"));
  await get("/");
  const startedMs = performance.now();
  await server.drain(300);
  expect(performance.now() - startedMs).toBeLessThan(4_900);
});

test("a crashed site is restarted", async () => {
  const count = JSON.stringify(join(folder, "count"));
  const server = start(
    `import { appendFileSync, readFileSync } from "node:fs"; appendFileSync(${count}, "x"); if (readFileSync(${count}, "utf8").length < 2) process.exit(1); ${SITE}`,
  );
  await get("/");
  expect(readFileSync(join(folder, "count"), "utf8")).toBe("xx");
  await server.drain(5_000);
});

test("a site that crashes repeatedly is restarted after growing pauses, then fails", async () => {
  const server = start("process.exit(1);");
  expect(await server.failure).toBe(1);
  const times = logged("launcher.site_died").map(({ time }) => Date.parse(String(time)));
  const gaps = times.slice(1).map((atMs, i) => atMs - times[i]!);
  expect(gaps).toHaveLength(4);
  for (const [i, gap] of gaps.entries()) expect(gap).toBeGreaterThanOrEqual(PAUSE_MS * (i + 1));
});

/** Two pings without a pong, because a busy machine may delay one. */
const WATCHDOG = { silenceMs: 600, startMs: 10_000, stackMs: 20_000 };
/** Resolves once the site has answered a ping, so that startMs no longer applies. */
const waitForPing = () =>
  vi.waitFor(async () => expect((await get("/")).pings).toBeGreaterThan(0), 10_000);

test("a site in an endless loop is restarted, and the log shows the loop", async () => {
  const handedOver = vi.fn(() => Promise.resolve());
  const server = start(SITE, {}, { watchdog: WATCHDOG, afterHang: handedOver });
  // Repeated, because a pause of a busy machine also looks like a hang.
  await vi.waitFor(async () => {
    await waitForPing();
    await expect(fetch(`http://127.0.0.1:${port}/loop`)).rejects.toThrow();
    await get("/");
    expect(logged("launcher.site_hung")).toContainEqual(
      expect.objectContaining({
        stack: expect.arrayContaining([expect.stringContaining("endlessLoop")]) as string[],
      }),
    );
  }, 60_000);
  expect(handedOver).toHaveBeenCalledTimes(logged("launcher.site_hung").length);
  await server.drain(5_000);
});

test("a stopped site is restarted, and the log says that it was stopped", async () => {
  const server = start(SITE, {}, { watchdog: WATCHDOG });
  await waitForPing();
  const { pid } = await get("/");
  process.kill(pid, "SIGSTOP");
  await vi.waitFor(() => {
    expect(logged("launcher.site_hung")).toContainEqual(
      expect.objectContaining({ stack: null, state: "stopped by a signal" }),
    );
    expect(logged("launcher.site_died").length).toBeGreaterThan(0);
  }, 30_000);
  expect((await get("/")).pid).not.toBe(pid);
  await server.drain(5_000);
});

test("a site learns whether this node holds the lease, even after a restart, and asks about transactions", async () => {
  const site = SITE.replace(
    'process.on("message", (message) => {',
    `const messages = [];
     process.send({ kind: "confirm", id: 3, position: { txid: 42, checksum: "1" } });
     process.on("message", (message) => {
       if (message.kind !== "ping") messages.push(message);`,
  ).replace("host: values.hostname", "host: values.hostname, messages");
  const demanded: number[] = [];
  const server = start(
    site,
    {
      REPLICATION: "on",
      FLY_CONSUL_URL: "http://127.0.0.1:1",
      LITEFS_ADVERTISE_URL: "http://127.0.0.1:1",
      FLY_LITEFS_DIR: folder,
    },
    {
      confirmPosition: ({ txid }) => {
        demanded.push(txid);
        return Promise.resolve(true);
      },
    },
  );
  const first = await get("/");
  server.setLease(1_234);
  await vi.waitFor(
    async () =>
      expect((await get("/")).messages).toEqual([
        { kind: "lease", validUntilMs: 0 },
        { kind: "confirmed", id: 3, isConfirmed: true },
        { kind: "lease", validUntilMs: 1_234 },
      ]),
    10_000,
  );
  expect(demanded).toEqual([42]);
  process.kill(first.pid, "SIGKILL");
  await vi.waitFor(() => expect(logged("launcher.site_died")).toHaveLength(1), 10_000);
  await vi.waitFor(
    async () =>
      expect((await get("/")).messages?.[0]).toEqual({ kind: "lease", validUntilMs: 1_234 }),
    10_000,
  );
  await server.drain(5_000);
});
