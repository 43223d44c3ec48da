// Loads a page like visitors do: nine strangers to a member, while reads are counted.

import { randomInt, randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type WrkResult, runWrk } from "#bench/support/wrk.ts";

const CONNECTIONS = 64;
const BEACONS_PER_SECOND = 20;
/**
 * Each connection waits this long before its first request, because Node accepts one connection per
 * turn of the event loop (libuv 1.45 and later). Otherwise, the last ones would wait for half a
 * second, and wrk, which corrects for coordinated omission, would count that delay many times.
 */
const CONNECT_SECONDS = 1;

export interface MixedTarget {
  readonly origin: string;
  readonly strangerPath: string;
  readonly memberPath: string;
  /** The member's Cookie header. */
  readonly cookie: string;
  /** Returns the body of the next beacon. */
  readonly makeBeacon: () => object;
}

export interface MixedResult extends WrkResult {
  readonly beacons: number;
}

function writeMixedScript(dir: string, { strangerPath, memberPath, cookie }: MixedTarget): string {
  const path = join(dir, "mixed.lua");
  writeFileSync(
    path,
    `local waiting = ${CONNECTIONS}
delay = function()
  waiting = waiting - 1
  return waiting >= 0 and ${CONNECT_SECONDS * 1_000} or 0
end
local count = 0
request = function()
  count = count + 1
  if count % 10 == 0 then return wrk.format("GET", "${memberPath}", { cookie = "${cookie}", ["accept-encoding"] = "gzip, deflate, br" }) end
  return wrk.format("GET", "${strangerPath}", { ["accept-encoding"] = "gzip, deflate, br" })
end
`,
  );
  return path;
}

/** Sends beacons until stop() is called, which resolves to how many were counted. */
function startBeacons({ origin, makeBeacon }: MixedTarget): { stop: () => Promise<number> } {
  const sent: Promise<void>[] = [];
  const send = async () => {
    const response = await fetch(`${origin}/reads`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        origin,
        "sec-fetch-site": "same-origin",
        "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0",
        // Rate limits count by address.
        "fly-client-ip": `${randomInt(1, 220)}.${randomInt(256)}.${randomInt(256)}.1`,
      },
      body: JSON.stringify(makeBeacon()),
    });
    if (response.status !== 204)
      throw new Error(`A beacon got ${response.status} ${await response.text()}`);
  };
  const timer = setInterval(() => sent.push(send()), 1_000 / BEACONS_PER_SECOND);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(sent);
      return sent.length;
    },
  };
}

export async function measureMixed(
  dir: string,
  target: MixedTarget,
  seconds: number,
): Promise<MixedResult> {
  const beacons = startBeacons(target);
  const result = await runWrk(target.origin, {
    seconds: CONNECT_SECONDS + seconds,
    connections: CONNECTIONS,
    script: writeMixedScript(dir, target),
  });
  const perSecond = (result.perSecond * (CONNECT_SECONDS + seconds)) / seconds;
  return { ...result, perSecond, beacons: await beacons.stop() };
}

/** Returns a beacon of the peers, whose tokens are not signed. */
export const makePeerBeacon = (slug: string) => () => ({
  slug,
  token: `${randomUUID()}.${Date.now()}`,
  clientId: randomUUID(),
});
