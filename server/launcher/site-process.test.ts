import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { findFreePort } from "#tests/support/free-port.ts";
import { startSiteProcess } from "./site-process.ts";
import { readSettings } from "#server/settings.ts";

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
  const server = createServer((request, response) => setTimeout(() => response.end(JSON.stringify({ host: values.hostname, uid: process.getuid(), flags: process.execArgv })), request.url === "/slow" ? 1000 : 0));
  process.on("SIGTERM", () => server.close(() => process.exit(143)));
  server.listen(values.port, values.hostname);
`;

function start(site: string, env: Record<string, string> = {}) {
  mkdirSync(join(folder, "server"));
  writeFileSync(join(folder, "server", "site.ts"), site);
  const settings = readSettings(
    { HOST: "127.0.0.1", PORT: String(port), DATA_DIR: folder, ...env },
    folder,
  );
  return startSiteProcess(settings, process.env, ["--max-semi-space-size=16"], 50);
}

interface Said {
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

test("the site binds to HOST, with the flags of a server", async () => {
  const server = start(SITE);
  expect(await get("/")).toMatchObject({ host: "127.0.0.1", flags: ["--max-semi-space-size=16"] });
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
  await new Promise((resolve) => setImmediate(resolve));
  await vi.waitFor(
    async () =>
      expect(readFileSync(`/proc/net/tcp`, "utf8")).toContain(
        `:${port.toString(16).toUpperCase().padStart(4, "0")} `,
      ),
    10_000,
  );
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

test("a site that crashes repeatedly fails", async () => {
  const server = start("process.exit(1);");
  expect(await server.failure).toBe(1);
});
