// Tests the cluster itself: each region is served by its own node, writes replicate, and nothing
// remains after it ends.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "@playwright/test";
import { findFreePort } from "#tests/support/free-port.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { findMarkedProcesses } from "#cli/cluster/process-sessions.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { WORKSPACE_ENV, listMounts } from "#cli/cluster/workspace.ts";

test("every region is served by its own node", async ({ cluster }) => {
  const primary = await cluster.findPrimary();
  expect(primary?.region).toBe("dfw");
  for (const region of cluster.edges.keys()) {
    const response = await fetch(`${cluster.getEdgeUrl(region)}/readyz`);
    expect(await response.json()).toMatchObject({ ready: true, region });
    expect((await fetch(`${cluster.getEdgeUrl(region)}/blog`)).status).toBe(200);
  }
});

test("a write through ams is replicated to every node", async ({ cluster, smtp, browser }) => {
  const before = await cluster.waitUntilInSync();
  await requestLoginEmailInBrowser(browser, cluster.getEdgeUrl("ams"), "ams@example.com");
  await waitUntil("the login email is there", 20_000, () =>
    smtp.emails.some(({ to }) => to.includes("ams@example.com")),
  );
  expect(
    cluster.edges
      .get("ams")
      ?.listEvents()
      .filter(({ kind, path }) => kind === "replay" && path.startsWith("/login")),
  ).toHaveLength(1);
  expect((await cluster.waitUntilInSync()).txid).toBeGreaterThan(before.txid);
});

test("an isolated replica lags, and catches up when the link is healed", async ({
  cluster,
  browser,
}) => {
  cluster.network.isolateNode("syd-1");
  await requestLoginEmailInBrowser(browser, cluster.getEdgeUrl("ams"), "cut@example.com");
  const there = await cluster.waitUntilInSync(20_000, ["dfw-1", "dfw-2", "ams-1"]);
  expect((await cluster.getNode("syd-1").readPosition())?.txid).toBeLessThan(there.txid);
  expect((await fetch(`${cluster.getEdgeUrl("syd")}/blog`)).status).toBe(200);
  cluster.network.healLinks();
  await cluster.waitUntilInSync();
});

/** Makes a write: requests a login email, without JavaScript. */
async function requestLoginEmailInBrowser(
  browser: Browser,
  url: string,
  email: string,
): Promise<void> {
  const page = await browser.newPage({ javaScriptEnabled: false });
  await page.goto(`${url}/login`);
  await page.getByLabel("Email address").fill(email);
  await page.getByRole("button", { name: "Email me a login link" }).click();
  await page.waitForURL("**/login/code**");
  await page.close();
}

/** Runs `npm run cluster` with one region, below `parent`. Resolves when it prints its URLs. */
async function startCommand(parent: string): Promise<{
  child: ChildProcess;
  folder: string;
  ended: Promise<number | null>;
}> {
  const port = await findFreePort();
  const child = spawn(
    process.execPath,
    [
      "cli/cluster/main.ts",
      "--regions",
      "dfw",
      "--port",
      String(port),
      ...(process.env.CLUSTER_IMAGE ? ["--image", process.env.CLUSTER_IMAGE] : []),
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, TMPDIR: parent } },
  );
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (text += data));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const found = await waitUntil("the command says where it is", 110_000, () => {
    if (child.exitCode !== null) throw new Error(text);
    return /Logs: (.*)\/\*\/log/.exec(text);
  });
  expect((await fetch(`http://localhost:${port}/blog`)).status).toBe(200);
  return { child, folder: found![1]!, ended };
}

const leftOf = (folder: string) => ({
  processes: findMarkedProcesses(WORKSPACE_ENV, folder),
  mounts: listMounts(folder),
  files: existsSync(folder),
});
const NOTHING = { processes: [], mounts: [], files: false };

test("the next command removes what a killed one left, and after Ctrl-C no process, mount or file is left", async () => {
  // Clusters of other tests remove what they find in the system's temporary folder.
  const parent = mkdtempSync(join(tmpdir(), "cluster-command-"));
  const killed = await startCommand(parent);
  killed.child.kill("SIGKILL");
  await killed.ended;
  expect(leftOf(killed.folder)).toMatchObject({
    files: true,
    mounts: expect.arrayContaining([expect.stringContaining("dfw-1")]),
  });
  const { child, folder, ended } = await startCommand(parent);
  expect(leftOf(killed.folder)).toEqual(NOTHING);
  const { processes, mounts } = leftOf(folder);
  expect(processes.length).toBeGreaterThanOrEqual(2 * 4 + 1);
  expect(mounts).toHaveLength(2);
  child.kill("SIGINT");
  expect(await ended).toBe(0);
  expect(leftOf(folder)).toEqual(NOTHING);
  rmSync(parent, { recursive: true });
});
