import { afterEach, expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { listPeers, peerLitefsUrl, parseClusterNodes, parseFlyVms } from "./peers.ts";

afterEach(() =>
  overrideEnv({ REPLICATION: undefined, CLUSTER_NODES: undefined, INSTANCE: undefined }),
);

test("nodes are parsed from the environment and from Fly's DNS", () => {
  expect(parseClusterNodes("dfw-1@dfw=127.0.0.1,ams-1@ams=fdaa::3")).toEqual([
    { instance: "dfw-1", region: "dfw", host: "127.0.0.1" },
    { instance: "ams-1", region: "ams", host: "fdaa::3" },
  ]);
  expect(parseFlyVms("17811953c92e18 dfw,3287457df77785 ams", "lectern")).toEqual([
    { instance: "17811953c92e18", region: "dfw", host: "17811953c92e18.vm.lectern.internal" },
    { instance: "3287457df77785", region: "ams", host: "3287457df77785.vm.lectern.internal" },
  ]);
  expect(parseFlyVms("", "lectern")).toEqual([]);
  expect(parseFlyVms("x;rm dfw,ok dfw", "lectern")).toEqual([
    { instance: "ok", region: "dfw", host: "ok.vm.lectern.internal" },
  ]);
});

test("peers are the other nodes; none without replication", async () => {
  overrideEnv({ CLUSTER_NODES: "dfw-1@dfw=127.0.0.1,ams-1@ams=fdaa::3", INSTANCE: "ams-1" });
  expect(await listPeers()).toEqual([]);
  overrideEnv({ REPLICATION: "on" });
  const peers = await listPeers();
  expect(peers.map(({ instance }) => instance)).toEqual(["dfw-1"]);
  expect(peerLitefsUrl(peers[0]!)).toBe("http://127.0.0.1:20202");
  expect(peerLitefsUrl({ instance: "x", region: "ams", host: "fdaa::3" })).toBe(
    "http://[fdaa::3]:20202",
  );
});
