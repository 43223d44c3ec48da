import { expect, test } from "vitest";
import { type CandidacyFacts, ADVANCED_NODE_WAIT_MS, decideCandidacy } from "./candidacy.ts";

const CLUSTER = "LFSC0000000000000001";
const empty = { clusterId: null, hasData: false, txid: 0 };
const full = { clusterId: CLUSTER, hasData: true, txid: 100 };
const known = (part: Partial<CandidacyFacts>): CandidacyFacts => ({
  instance: "dfw-1",
  isInPrimaryRegion: true,
  store: full,
  hasNeeded: true,
  wasCaughtUp: false,
  hasWaited: false,
  unknownPrimary: null,
  consul: { clusterId: CLUSTER, hasData: true, primary: null, heartbeat: null },
  ...part,
});
const consul = (part: Partial<NonNullable<CandidacyFacts["consul"]>>) => ({
  clusterId: CLUSTER,
  hasData: true,
  primary: null,
  heartbeat: null,
  ...part,
});

test("outside the primary region, no node is a candidate", () => {
  for (const store of [empty, full])
    expect(decideCandidacy(known({ isInPrimaryRegion: false, store }))).toMatchObject({
      kind: "start",
      candidate: false,
      isCatchingUp: false,
    });
});

test("a node without data is not a candidate in a cluster with data, even if it has the cluster's ID", () => {
  for (const store of [empty, { ...empty, clusterId: CLUSTER }]) {
    for (const primary of [null, "dfw-1", "dfw-2"])
      expect(decideCandidacy(known({ store, consul: consul({ primary }) }))).toMatchObject({
        kind: "start",
        candidate: false,
        isCatchingUp: true,
      });
  }
});

test("a node without data bootstraps the cluster only if no cluster with data exists", () => {
  expect(
    decideCandidacy(known({ store: empty, consul: consul({ clusterId: null, hasData: false }) })),
  ).toEqual({ kind: "bootstrap" });
  expect(
    decideCandidacy(
      known({ store: { ...empty, clusterId: CLUSTER }, consul: consul({ hasData: false }) }),
    ),
  ).toEqual({ kind: "bootstrap" });
  expect(
    decideCandidacy(known({ store: empty, consul: consul({ hasData: false, primary: "dfw-2" }) })),
  ).toMatchObject({ kind: "start", candidate: false });
});

test("without Consul, a node with data starts, but not as a candidate, and one without data waits", () => {
  // Another node may be ahead of it.
  expect(decideCandidacy(known({ consul: null }))).toMatchObject({
    kind: "start",
    candidate: false,
    isCatchingUp: true,
  });
  expect(decideCandidacy(known({ consul: null, store: empty }))).toMatchObject({ kind: "wait" });
});

test("while another node is the primary, only a caught-up node is a candidate", () => {
  expect(decideCandidacy(known({ consul: consul({ primary: "dfw-2" }) }))).toMatchObject({
    candidate: false,
    isCatchingUp: true,
  });
  expect(
    decideCandidacy(known({ consul: consul({ primary: "dfw-2" }), wasCaughtUp: true })),
  ).toMatchObject({ candidate: true, isCatchingUp: false });
});

test("a lagging node waits for the more advanced one, and takes over if that does not return", () => {
  const heartbeat = { instance: "dfw-2", txid: 105 };
  const behind = { hasNeeded: false, consul: consul({ heartbeat }) };
  expect(decideCandidacy(known(behind))).toMatchObject({
    candidate: false,
    isCatchingUp: true,
    patienceMs: ADVANCED_NODE_WAIT_MS,
  });
  expect(decideCandidacy(known({ ...behind, hasWaited: true }))).toMatchObject({
    candidate: true,
    isCatchingUp: false,
  });
  expect(decideCandidacy(known({ ...behind, hasNeeded: true }))).toMatchObject({
    candidate: true,
  });
  const own = consul({ heartbeat: { instance: "dfw-1", txid: 105 } });
  expect(decideCandidacy(known({ ...behind, consul: own }))).toMatchObject({ candidate: true });
});

test("data of another cluster is not touched", () => {
  expect(
    decideCandidacy(known({ consul: consul({ clusterId: "LFSC0000000000000002" }) })),
  ).toMatchObject({ kind: "refuse" });
});

test("while another node is the primary of another Consul, or Consul is unreachable, no node takes the lease, too", () => {
  for (const facts of [{ consul: consul({ clusterId: null, hasData: false }) }, { consul: null }])
    expect(decideCandidacy(known({ ...facts, unknownPrimary: "dfw-2" }))).toMatchObject({
      kind: "start",
      candidate: false,
      isCatchingUp: true,
      patienceMs: ADVANCED_NODE_WAIT_MS,
    });
});
