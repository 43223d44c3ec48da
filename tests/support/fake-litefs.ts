// Fakes LiteFS 0.5.14 on one node: its events over HTTP, and the files in its mount next to the
// test's database. For states that a real cluster (e2e/cluster) passes through too fast.

import { rmSync, writeFileSync } from "node:fs";
import { type ServerResponse, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { overrideEnv } from "./override-env.ts";
import { env } from "#lib/core/env.ts";
import { litefsState, startWatchingLitefs, stopWatchingLitefs } from "#lib/replication/role.ts";

export interface FakeLitefs {
  readonly url: string;
  /** Makes another node the primary, no node (""), or this one (null). */
  setPrimary(name: string | null): Promise<void>;
  /** Changes only the file, as in the moment before LiteFS sends the event. */
  setPrimaryFile(name: string | null): void;
  sendEvent(event: object): void;
  setPosition(txid: number): void;
  /** Sets the age of the primary's last heartbeat. */
  setHeartbeatAge(ms: number): void;
  /** Breaks the event stream and refuses new listeners. */
  breakStream(): void;
  stop(): Promise<void>;
}

/** The checksum of the whole database after transaction `txid`. */
export const checksumOf = (txid: number) => (0x8000_0000_0000_0000n + BigInt(txid)).toString(16);

/** Turns replication on for this test, with this process as the instance "here" in region "ams". */
export async function startFakeLitefs(primary: string | null): Promise<FakeLitefs> {
  const dir = dirname(env.DATABASE_FILE);
  let role = { isPrimary: primary === null, hostname: primary ?? "" };
  const listeners = new Set<ServerResponse>();
  const server = createServer((_request, response) => {
    listeners.add(response);
    response.on("close", () => listeners.delete(response));
    response.writeHead(200, { "content-type": "application/json" });
    response.write(`${JSON.stringify({ type: "init", data: role })}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const file = join(dir, ".primary");
  const litefs: FakeLitefs = {
    url,
    async setPrimary(name) {
      role = { isPrimary: name === null, hostname: name ?? "" };
      litefs.setPrimaryFile(name || null);
      litefs.sendEvent({ type: "primaryChange", data: role });
      while (JSON.stringify(litefsState().lastPrimaryEvent) !== JSON.stringify(role))
        await new Promise((resolve) => setImmediate(resolve));
    },
    setPrimaryFile(name) {
      if (name) writeFileSync(file, `${name}\n`);
      else rmSync(file, { force: true });
    },
    sendEvent(event) {
      for (const listener of listeners) listener.write(`${JSON.stringify(event)}\n`);
    },
    setPosition(txid) {
      writeFileSync(
        `${env.DATABASE_FILE}-pos`,
        `${txid.toString(16).padStart(16, "0")}/${checksumOf(txid)}\n`,
      );
    },
    setHeartbeatAge(ms) {
      writeFileSync(join(dir, ".lag"), `${ms}\n`);
    },
    breakStream() {
      for (const listener of listeners) listener.destroy();
      server.close();
    },
    async stop() {
      stopWatchingLitefs();
      for (const listener of listeners) listener.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
      overrideEnv({
        REPLICATION: undefined,
        FLY_LITEFS_DIR: undefined,
        LITEFS_URL: undefined,
        INSTANCE: undefined,
        FLY_REGION: undefined,
      });
    },
  };
  overrideEnv({
    REPLICATION: "on",
    FLY_LITEFS_DIR: dir,
    LITEFS_URL: url,
    INSTANCE: "here",
    FLY_REGION: "ams",
  });
  litefs.setPrimaryFile(primary || null);
  litefs.setPosition(1);
  litefs.setHeartbeatAge(0);
  startWatchingLitefs();
  while (!litefsState().lastPrimaryEvent) await new Promise((resolve) => setImmediate(resolve));
  return litefs;
}
