// Tests gray failures: a site that hangs, a machine that freezes, packets that are dropped. Writes
// resume on a standby, reads elsewhere continue, and no durable write is lost.

import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "#cli/cluster/cluster.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import {
  isWriteRefused,
  requestLoginEmail,
  sendRequest,
} from "#tests/support/cluster/browser-visitor.ts";
import { makeReadBeacon } from "#tests/support/cluster/cluster-secret.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { readLogEvents } from "#tests/support/cluster/litefs-store.ts";
import { LoadGenerator } from "#tests/support/cluster/load-generator.ts";
import { listCountedSlugs } from "#tests/support/cluster/read-your-writes-load.ts";
import { assertInvariant } from "#tests/support/invariants.ts";

const TTL_MS = 10_000;
const BACK_MS = 2 * TTL_MS + 5_000;
/** Five seconds of silence, two to read the stack, and the handover, on a busy machine. */
const HUNG_SITE_BACK_MS = 15_000;
/** After this, replicas and edges know that the primary is silent (docs/failures.md). */
const DETECTED_MS = 5_000;
/** A refusal takes two seconds, plus the delays of a busy machine. */
const REFUSED_MS = 5_000;
/** Clients give up requests that a frozen process has accepted after this. */
const PATIENCE_MS = 6_000;
const LOAD = { patienceMs: PATIENCE_MS };
/** `SOAK_FREEZES=10` freezes more often. */
const FREEZES = Number(process.env.SOAK_FREEZES ?? 1);

interface Fault {
  readonly atMs: number;
  /** Time until a write that was sent after the fault was acknowledged. */
  readonly backMs: number;
  readonly slowestRefusalMs: number;
  readonly refusals: number;
}

/** Waits until a durable write would survive the loss of `primary`. */
async function waitUntilHeld(primary: ClusterNode): Promise<void> {
  await waitUntil(
    `${primary.name} has a standby`,
    60_000,
    async () => (await readStatus(primary)).standby,
    (standby) => standby === "connected",
  );
}
const readStatus = async (node: ClusterNode) =>
  (await (await fetch(`${node.url}/readyz`)).json()) as { role: string; standby: string | null };

/**
 * Waits until writes are acknowledged again after a fault at `atMs`. Meanwhile, sends forms from a
 * distant region, each of which must succeed or be refused with its input kept.
 */
async function watchUntilBack(
  cluster: Cluster,
  load: LoadGenerator,
  atMs: number,
  deadlineMs: number,
): Promise<Fault> {
  const refusalsMs: number[] = [];
  const isBack = () => load.writes.find(({ sentMs }) => sentMs > atMs + DETECTED_MS);
  const forms: Promise<void>[] = [];
  await sleep(DETECTED_MS);
  for (let i = 0; !isBack() && performance.now() < atMs + deadlineMs; i += 1) {
    const email = `gray-${Math.round(atMs)}-${i}@example.com`;
    forms.push(
      requestLoginEmail(cluster.getEdgeUrl("ams"), email).then((answer) => {
        if (answer.status === 303) return;
        if (!isWriteRefused(answer, email))
          throw new Error(`${answer.status} after ${answer.ms} ms: ${answer.text.slice(0, 300)}`);
        refusalsMs.push(answer.ms);
      }),
    );
    await sleep(500);
  }
  const first = await waitUntil("Writes are back", 1_000, isBack);
  await Promise.all(forms);
  return {
    atMs,
    backMs: first!.answeredMs - atMs,
    slowestRefusalMs: Math.max(0, ...refusalsMs),
    refusals: refusalsMs.length,
  };
}

/** Asserts what every fault has in common, and prints its figures. */
async function verify(
  cluster: Cluster,
  load: LoadGenerator,
  name: string,
  faults: readonly Fault[],
): Promise<void> {
  await load.stop();
  await cluster.waitUntilInSync(60_000);
  const lost = load.findLostWrites(await cluster.waitForPrimary());
  const elsewhere = load.failedReads.filter(({ region }) => region !== "dfw");
  console.log(
    `${name}:`,
    JSON.stringify({
      backMs: faults.map(({ backMs }) => Math.round(backMs)),
      slowestRefusalMs: Math.round(Math.max(...faults.map((fault) => fault.slowestRefusalMs))),
      refusals: faults.reduce((sum, { refusals }) => sum + refusals, 0),
      durableWrites: load.logins.length,
      lostDurableWrites: lost.logins.length,
      otherWrites: load.writes.length,
      lostOtherWrites: lost.writes.length,
      reads: Object.fromEntries(load.readsByRegion),
      failedReads: load.failedReads.map(({ region, reason }) => `${region}: ${reason}`),
      slowestReadMs: Object.fromEntries(
        [...load.slowestReadMsByRegion].map(([region, ms]) => [region, Math.round(ms)]),
      ),
    }),
  );
  assertInvariant("no durable write is lost", lost.logins);
  assertInvariant("no read in another region fails", elsewhere);
  // Others may be lost only if they were sent before the lease ran out. The response may arrive later.
  assertInvariant(
    "a deposed primary acknowledges nothing",
    lost.writes.filter(
      ({ sentMs, answeredMs }) =>
        !faults.some(({ atMs }) => answeredMs > atMs - 1_000 && sentMs < atMs + TTL_MS),
    ),
  );
  expect(Math.max(...faults.map((fault) => fault.slowestRefusalMs))).toBeLessThan(REFUSED_MS);
}

async function startFault(
  cluster: Cluster,
): Promise<{ primary: ClusterNode; standby: ClusterNode }> {
  const primary = await cluster.waitForPrimary();
  const standby = await cluster.waitForStandby(90_000);
  await waitUntilHeld(primary);
  return { primary, standby };
}

test("the primary's site hangs: the standby takes over, and the site is restarted", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(180_000);
  const load = await LoadGenerator.start(cluster, smtp, LOAD);
  const { primary, standby } = await startFault(cluster);
  await load.waitForWrites(20);
  const atMs = performance.now();
  const pid = primary.pauseSite();
  const fault = await watchUntilBack(cluster, load, atMs, HUNG_SITE_BACK_MS);
  expect((await cluster.waitForPrimary()).name).toBe(standby.name);
  expect(readLogEvents(primary, "launcher.site_hung").at(-1)).toMatchObject({
    level: "error",
    state: "stopped by a signal",
  });
  expect(primary.listProcesses()).not.toContain(pid);
  await primary.waitUntilReady();
  await verify(cluster, load, "site hangs", [fault]);
  expect(fault.backMs).toBeLessThan(HUNG_SITE_BACK_MS);
});

test("the primary's machine freezes: the standby takes over, and the thawed machine writes nothing", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(120_000 + 60_000 * FREEZES);
  const load = await LoadGenerator.start(cluster, smtp, LOAD);
  const [slug] = await listCountedSlugs(cluster);
  const origin = cluster.getEdgeUrl("dfw");
  const writeDirectly = (node: ClusterNode) =>
    sendRequest(`${node.url}/reads`, {
      ...makeReadBeacon(cluster, slug!),
      headers: {
        "content-type": "application/json",
        host: new URL(origin).host,
        origin,
        "sec-fetch-site": "same-origin",
      },
      timeoutMs: 60_000,
    }).then(({ status }) => status);
  const faults: Fault[] = [];
  for (let round = 1; round <= FREEZES; round += 1) {
    const { primary, standby } = await startFault(cluster);
    expect(await writeDirectly(primary)).toBe(204);
    await load.waitForWrites(20);
    const atMs = performance.now();
    primary.pause();
    // The frozen machine still accepts connections, and answers when it thaws.
    const accepted = [writeDirectly(primary), writeDirectly(primary), writeDirectly(primary)];
    faults.push(await watchUntilBack(cluster, load, atMs, BACK_MS));
    expect((await cluster.findPrimary())?.name).toBe(standby.name);
    primary.resume();
    expect((await Promise.all(accepted)).filter((status) => status === 204)).toEqual([]);
    expect((await cluster.waitForStandby(90_000)).name).toBe(primary.name);
    console.log(
      `freeze ${round} of ${FREEZES}: ${primary.name}, writes back after ${Math.round(faults.at(-1)!.backMs)} ms`,
    );
  }
  await verify(cluster, load, "machine freezes", faults);
  for (const { backMs } of faults) expect(backMs).toBeLessThan(BACK_MS);
});

test("the primary's packets are dropped: the standby takes over, and the cut-off primary stops writing first", async ({
  cluster,
  smtp,
}) => {
  test.setTimeout(180_000);
  const load = await LoadGenerator.start(cluster, smtp, LOAD);
  const { primary, standby } = await startFault(cluster);
  await load.waitForWrites(20);
  const atMs = performance.now();
  // The edge still reaches it, so readers in its region can send it writes.
  cluster.network.isolateNode(primary.name);
  await waitUntil(
    `${standby.name} is the primary`,
    BACK_MS,
    async () => (await standby.readLitefsInfo())?.isPrimary ?? false,
  );
  const takenOverMs = performance.now() - atMs;
  expect((await readStatus(primary)).role).not.toBe("primary");
  const fault = await watchUntilBack(cluster, load, performance.now() - DETECTED_MS, BACK_MS);
  cluster.network.healLinks();
  expect((await cluster.waitForStandby(90_000)).name).toBe(primary.name);
  await verify(cluster, load, "packets dropped", [{ ...fault, atMs, backMs: takenOverMs }]);
});
