// Runs the launcher as a process, with a fake site under a fake LiteFS and a fake Consul.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { findFreePort } from "#tests/support/free-port.ts";
import { readOutput } from "#tests/support/read-output.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";

let folder: string;
const servers: TestServer[] = [];
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), "launcher-"))));
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
  rmSync(folder, { recursive: true, force: true });
});

/** A site with a request that still runs at SIGTERM, until the lease has been renewed twice. */
const SITE = `
  let renewals = 0;
  let isDraining = false;
  process.on("message", ({ kind, id, validUntilMs }) => {
    if (kind === "ping") process.send({ kind: "pong", id });
    if (kind !== "lease" || validUntilMs === 0) return;
    if (!isDraining) return console.log("holds the lease");
    renewals += 1;
    if (renewals === 2) end("the lease was renewed");
  });
  process.on("SIGTERM", () => {
    isDraining = true;
    setTimeout(end, 15_000, "the lease was not renewed");
  });
  function end(text) {
    console.log(text);
    process.exit(143);
  }
`;

const LAUNCHER = `
  import { launchSite } from ${JSON.stringify(join(import.meta.dirname, "launch-site.ts"))};
  import { readSettings } from ${JSON.stringify(join(import.meta.dirname, "..", "settings.ts"))};
  process.exit(await launchSite(readSettings(process.env, import.meta.dirname), process.env, []));
`;

function write(path: string, text: string): void {
  mkdirSync(join(folder, path, ".."), { recursive: true });
  writeFileSync(join(folder, path), text);
}

test("a primary without a standby keeps its lease until the last request is finished", async () => {
  const dbs = { "lectern.db": { txid: "0000000000000005", checksum: "8000000000000001" } };
  const litefs = await serveHttp((_request, response) =>
    response.end(JSON.stringify({ store: { isPrimary: true, candidate: true, dbs } })),
  );
  const lease = JSON.stringify({ hostname: "dfw-1", "advertise-url": litefs.origin });
  const consul = await serveHttp((request, response) => {
    request.resume();
    if (request.method === "PUT") response.end("true");
    else if (request.url!.startsWith("/v1/kv/lectern/primary/")) response.writeHead(404).end();
    else
      response.end(
        JSON.stringify([{ Value: Buffer.from(lease).toString("base64"), Session: "s" }]),
      );
  });
  servers.push(litefs, consul);
  write("server/site.ts", SITE);
  write("server/launcher/apply-migrations.ts", `console.log("[]");`);
  write("run.ts", LAUNCHER);
  const launcher = spawn(process.execPath, [join(folder, "run.ts")], {
    env: {
      ...process.env,
      REPLICATION: "on",
      INSTANCE: "dfw-1",
      HOST: "127.0.0.1",
      PORT: String(await findFreePort()),
      DATA_DIR: folder,
      FLY_LITEFS_DIR: join(folder, "mount"),
      DATABASE_FILE: join(folder, "mount", "lectern.db"),
      FLY_CONSUL_URL: consul.origin,
      LITEFS_URL: litefs.origin,
      LITEFS_ADVERTISE_URL: litefs.origin,
      CLUSTER_NODES: "",
      KILL_TIMEOUT_SECONDS: "30",
      // This process takes the place of LiteFS.
      SUPERVISOR_PID: String(process.ppid),
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(launcher, "exit");
  let output = "";
  launcher.stdout.setEncoding("utf8").on("data", (text: string) => {
    if (!output.includes("holds the lease") && text.includes("holds the lease"))
      launcher.kill("SIGTERM");
    output += text;
  });
  expect(await exited).toEqual([0, null]);
  expect(output).toContain("the lease was renewed");
}, 60_000);

test("without replication, the site ends with its supervisor, even if it was killed", async () => {
  // Without IPC, so that only the launcher can end it.
  write("server/site.ts", `console.log("started " + process.pid); setInterval(() => {}, 1000);`);
  write("server/launcher/apply-migrations.ts", `console.log("[]");`);
  write("run.ts", LAUNCHER);
  const supervisor = spawn("sh", ["-c", `"${process.execPath}" run.ts; true`], {
    cwd: folder,
    env: { ...process.env, REPLICATION: "off", DATA_DIR: folder, PORT: "1" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  let output = "";
  supervisor.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.includes("started")) supervisor.kill("SIGKILL");
  });
  // The launcher and the site hold its output open.
  await once(supervisor, "close");
  expect(output).toContain("launcher.parent_gone");
}, 30_000);

test.each(["off", "on"])(
  "a launcher exits if its parent was killed before it started (REPLICATION=%s)",
  async (replication) => {
    write("server/site.ts", `console.log("started"); setInterval(() => {}, 1000);`);
    write("server/launcher/apply-migrations.ts", `console.log("[]");`);
    write("run.ts", LAUNCHER);
    const supervisor = spawn("sh", ["-c", `SUPERVISOR_PID=$$ "${process.execPath}" run.ts &`], {
      cwd: folder,
      env: {
        ...process.env,
        REPLICATION: replication,
        DATA_DIR: folder,
        FLY_LITEFS_DIR: join(folder, "mount"),
        DATABASE_FILE: join(folder, "mount", "lectern.db"),
        FLY_CONSUL_URL: "http://127.0.0.1:1",
        LITEFS_URL: "http://127.0.0.1:1",
        LITEFS_ADVERTISE_URL: "http://127.0.0.1:1",
      },
      stdio: ["ignore", "pipe", "inherit"],
      detached: true,
    });
    expect(await readOutput(supervisor)).toContain("launcher.parent_gone");
  },
  30_000,
);
