// Tests planned handovers and failovers under load: reads continue, and acknowledged writes
// survive.

import { assertInvariant } from "#tests/support/invariants.ts";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { readLogEvents, shrinkSharedMemory } from "#tests/support/cluster/litefs-store.ts";
import { LoadGenerator } from "#tests/support/cluster/load-generator.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

const LEASE_TTL_MS = 10_000;
/**
 * Consul alone takes twice the TTL; the standby takes over after one, plus the delays of a busy
 * machine.
 */
const BACK_MS = 2 * LEASE_TTL_MS - 2_000;
const PAUSED_MS = 2_000;
/** The edge checks health every second, and a dead process refuses; the rest is for a busy machine. */
const HEALTH_CHECK_MS = 3_000;
/** More than a node writes to its log. */
const LOG_BYTES = 16 * 1024 * 1024;
/** Other specs kill the primary, too. `SOAK_KILLS=10` kills more often. */
const KILLS = Number(process.env.SOAK_KILLS ?? 1);

/** Waits until durable writes reach a second machine. */
async function waitUntilHeld(primary: ClusterNode): Promise<void> {
  await waitUntil(
    `${primary.name} has a standby`,
    60_000,
    async () =>
      ((await (await fetch(`${primary.url}/readyz`)).json()) as { standby: string }).standby,
    (standby) => standby === "connected",
  );
}

/** Returns the positions once nothing more arrives from a dead primary. */
async function settledPositions(cluster: Cluster): Promise<Record<string, number>> {
  let last = "";
  const seen = await waitUntil("Nothing more arrives", 10_000, async () => {
    const positions = Object.fromEntries(
      Object.entries(await cluster.readPositions()).flatMap(([name, position]) =>
        position ? [[name, position.txid]] : [],
      ),
    );
    const text = JSON.stringify(positions);
    const isSettled = text === last;
    last = text;
    return isSettled ? positions : null;
  });
  return seen!;
}

const inWords = (times: readonly number[]) =>
  times.map((ms) => `${(ms / 1_000).toFixed(1)} s`).join(", ");

test("a planned handover under load: no read fails, no acknowledged write is lost, writes pause for less than two seconds", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(300_000);
  const load = await LoadGenerator.start(cluster, smtp);
  const gaps: number[] = [];
  for (const direction of process.env.SOAK_KILLS ? ["there", "back"] : ["there"]) {
    const old = await cluster.waitForPrimary();
    const next = await cluster.waitForStandby();
    await waitUntilHeld(old);
    const deathCount = readLogEvents(next, "launcher.site_died").length;
    shrinkSharedMemory(next);
    await load.waitForWrites(25);
    const fromMs = performance.now();
    const logLength = old.log(LOG_BYTES).length;
    expect(await old.stop(), direction).toBe(0);
    await waitUntil(
      `${next.name} is primary`,
      20_000,
      async () => (await cluster.findPrimary())?.name ?? null,
      (name) => name === next.name,
    );
    await load.waitForWrites(25);
    expect(readLogEvents(next, "launcher.site_died")).toHaveLength(deathCount);
    gaps.push(load.longestGapMs(fromMs, performance.now()));
    old.start();
    expect((await cluster.waitForStandby(90_000)).name).toBe(old.name);
    const log = old.log(LOG_BYTES).slice(logLength);
    expect(log).toMatch(
      new RegExp(`launcher\\.handed_over.*"to":"${next.name}"[^]*litefs shut down complete`),
    );
    expect(log).toContain("exiting primary, preserving lease for handoff");
    // It catches up before it becomes the standby.
    expect(log).toMatch(
      /"event":"supervisor.start".*"candidate":false,"catching_up":true[^]*"event":"supervisor.start".*"candidate":true,"catching_up":false/,
    );
  }
  await load.stop();
  const end = await cluster.waitUntilInSync();
  const primary = await cluster.waitForPrimary();
  console.log(
    "planned handover:",
    JSON.stringify({
      longestGapsMs: gaps.map(Math.round),
      writes: load.writes.length,
      logins: load.logins.length,
      reads: Object.fromEntries(load.readsByRegion),
      slowestReadMs: Math.round(load.slowestReadMs),
      refused: summary(load.refusedWrites.map(({ reason }) => reason)),
      txid: end.txid,
    }),
  );
  expect(load.failedReads).toEqual([]);
  const missing = load.findLostWrites(primary);
  assertInvariant("no acknowledged write is lost", [...missing.writes, ...missing.logins]);
  for (const gap of gaps) expect(gap).toBeLessThan(PAUSED_MS);
});

test("the primary's machine dies under load: reads go on, writes resume in time, and acknowledged writes survive", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(900_000);
  const load = await LoadGenerator.start(cluster, smtp);
  const kills: {
    name: string;
    atMs: number;
    backMs: number;
    had: Record<string, number>;
    standby: string;
  }[] = [];
  for (let round = 1; round <= KILLS; round += 1) {
    const primary = await cluster.waitForPrimary();
    const standby = await cluster.waitForStandby(90_000);
    await waitUntilHeld(primary);
    await load.waitForWrites(25);
    const atMs = performance.now();
    await primary.kill();
    const had = await settledPositions(cluster);
    const isBack = () =>
      load.writes.find(({ sentMs, answeredMs }) => sentMs > atMs || answeredMs > atMs + 2_000);
    const first = await waitUntil("Writes are back", 40_000, isBack);
    kills.push({
      name: primary.name,
      atMs,
      backMs: first!.answeredMs - atMs,
      had,
      standby: standby.name,
    });
    console.log(
      `kill ${round} of ${KILLS}: ${primary.name}, writes back after ${inWords([first!.answeredMs - atMs])}`,
    );
    primary.start();
  }
  await cluster.waitForStandby(90_000);
  await load.stop();
  const end = await cluster.waitUntilInSync(60_000);
  const primary = await cluster.waitForPrimary();

  const missing = load.findLostWrites(primary);
  const lost = missing.writes.map((write) => {
    const kill = kills.filter(({ atMs }) => atMs > write.sentMs).at(0);
    return {
      ...write,
      kill: kill ? kills.indexOf(kill) + 1 : null,
      onStandby: kill ? (kill.had[kill.standby] ?? 0) >= write.txid : true,
      onAny: kill ? Math.max(...Object.values(kill.had)) >= write.txid : true,
    };
  });
  const inDfw = load.failedReads.filter(({ region }) => region === "dfw");
  console.log(`kill -9, repeated: writes back after ${inWords(kills.map(({ backMs }) => backMs))}`);
  console.log(
    "kill -9, repeated:",
    JSON.stringify({
      writes: load.writes.length,
      lost: lost.length,
      lostThatTheStandbyHad: lost.filter(({ onStandby }) => onStandby).length,
      lostThatAnyHad: lost.filter(({ onAny }) => onAny).length,
      lostIn: summary(lost.map(({ kill }) => `kill ${kill}`)),
      logins: load.logins.length,
      lostLogins: missing.logins.length,
      reads: Object.fromEntries(load.readsByRegion),
      failedReadsInDfw: inDfw.map(({ reason }) => reason),
      slowestReadMs: Math.round(load.slowestReadMs),
      refused: summary(load.refusedWrites.map(({ reason }) => reason)),
      had: kills.map(({ had }) => had),
      txid: end.txid,
    }),
  );

  assertInvariant(
    "no write that the standby had is lost",
    lost.filter(({ onStandby }) => onStandby),
  );
  assertInvariant("no login is lost", missing.logins);
  // Again, since emails about logins are recorded in the background.
  await cluster.waitUntilInSync();
  expect(load.failedReads.filter(({ region }) => region !== "dfw")).toEqual([]);
  expect(
    inDfw.filter(
      ({ failedMs }) =>
        !kills.some((kill) => failedMs >= kill.atMs && failedMs < kill.atMs + HEALTH_CHECK_MS),
    ),
  ).toEqual([]);
  // A machine with four nodes may be late once or twice, but never by Consul's 2 × TTL.
  const backs = kills.map(({ backMs }) => backMs).sort((a, b) => a - b);
  expect(backs[Math.floor(backs.length / 2)]).toBeLessThan(BACK_MS);
  expect(backs.at(-1)).toBeLessThan(2 * LEASE_TTL_MS);
});

/** Counts each entry. */
function summary(list: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const each of list) counts[each] = (counts[each] ?? 0) + 1;
  return counts;
}
