// Extends Playwright's test with one cluster for all specs of a worker, repaired after each test.

import { join } from "node:path";
import { test as base, expect } from "@playwright/test";
import { LEGACY_SITE_ENV } from "#tests/support/e2e/site-under-test.ts";
import { seedCache, shareCache } from "#tests/support/shared-cache.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { type Cluster, startCluster } from "#cli/cluster/cluster.ts";
import { findMissing } from "#cli/cluster/tools/find-tools.ts";

/** A spec that changes an option gets a new cluster. */
interface Options {
  regions: readonly string[];
  /** How many Consul servers store the lease. */
  consulServers: number;
  /** Disk sizes in MB, for nodes that have their own disk. */
  diskSizesMb: Readonly<Record<string, number>>;
  /** Further environment variables of the site. */
  siteEnv: Readonly<Record<string, string>>;
}

interface WorkerFixtures {
  /** The SMTP server of all nodes. */
  smtp: TestSmtpServer;
  /** Null if the tests are skipped. */
  cluster: Cluster;
}

interface Fixtures {
  repairAfterwards: undefined;
}

/** The image that the nodes run. */
export const imageDir = process.env.CLUSTER_IMAGE ?? join(".data", "image");

/** What this machine lacks for a cluster. Tests skip themselves if there is anything. */
export const missingTools = process.env.CLUSTER_MISSING?.split("\n") ?? findMissing();

export const test = base.extend<Fixtures, WorkerFixtures & Options>({
  regions: [["dfw", "ams"], { option: true, scope: "worker" }],
  consulServers: [1, { option: true, scope: "worker" }],
  diskSizesMb: [{}, { option: true, scope: "worker" }],
  siteEnv: [{}, { option: true, scope: "worker" }],
  smtp: [
    // oxlint-disable-next-line no-empty-pattern -- Playwright reads a fixture's dependencies from the pattern.
    async ({}, use) => {
      const smtp = await startSmtpServer();
      await use(smtp);
      await smtp.close();
    },
    { scope: "worker" },
  ],
  cluster: [
    async ({ regions, consulServers, diskSizesMb, siteEnv, smtp }, use) => {
      if (missingTools.length > 0) return use(null as unknown as Cluster);
      const cluster = await startCluster({
        imageDir,
        regions,
        consulServers,
        diskSizesMb,
        beforeStart: seedCache,
        env: {
          SMTP_URL: smtp.url,
          NEWSLETTER_PER_MINUTE: "100000",
          LOG_LEVEL: process.env.LOG_LEVEL,
          NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE,
          ...LEGACY_SITE_ENV,
          ...siteEnv,
        },
      });
      await use(cluster);
      const [node] = cluster.nodes.values();
      shareCache(node!.dataDir);
      await cluster.stop();
    },
    { scope: "worker", timeout: 600_000 },
  ],
  repairAfterwards: [
    async ({ cluster }, use, testInfo) => {
      testInfo.skip(missingTools.length > 0, missingTools.join(" "));
      await use(undefined);
      if (testInfo.status === testInfo.expectedStatus) return void (await cluster.repair());
      // After a failure Playwright ends this worker and its cluster; the logs are kept.
      for (const node of cluster.nodes.values())
        await testInfo.attach(`${node.name}.log`, { body: node.log(), contentType: "text/plain" });
      await testInfo.attach("consul.log", {
        body: cluster.consul.readLog(),
        contentType: "text/plain",
      });
      for (const edge of cluster.edges.values())
        await testInfo.attach(`edge-${edge.region}.json`, {
          body: JSON.stringify(
            { counts: edge.counts, events: edge.listEvents().slice(-100) },
            null,
            1,
          ),
          contentType: "application/json",
        });
    },
    { auto: true, timeout: 180_000 },
  ],
});

export { expect };
