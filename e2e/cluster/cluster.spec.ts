// Tests the cluster itself: each region is served by its own node, writes replicate, and nothing
// remains after it ends.

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
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
    // A site that the previous test restarted is ready once it has read its content.
    await expect
      .poll(async () => (await fetch(`${cluster.getEdgeUrl(region)}/readyz`)).json(), {
        timeout: 30_000,
      })
      .toMatchObject({ ready: true, region });
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

interface RunningCommand {
  readonly child: ChildProcess;
  readonly port: number;
  readonly ended: Promise<number | null>;
  /** Returns everything the command has printed. */
  readOutput(): string;
}

/** Starts `npm run cluster` with one region. Its folder is below `parent`. */
async function startCommand(parent: string): Promise<RunningCommand> {
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
  let output = "";
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => (output += data));
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return { child, port, ended, readOutput: () => output };
}

/** Waits until `observe` returns a value. Fails with the command's output if the command exits. */
const waitFor = <Seen>(
  { child, readOutput }: RunningCommand,
  goal: string,
  observe: () => Seen | null,
): Promise<Seen> =>
  waitUntil(goal, 110_000, () => {
    if (child.exitCode !== null) throw new Error(readOutput());
    return observe();
  }) as Promise<Seen>;

const leftOf = (folder: string) => ({
  processes: findMarkedProcesses(WORKSPACE_ENV, folder),
  mounts: listMounts(folder),
  files: existsSync(folder),
});
const NOTHING = { processes: [], mounts: [], files: false };

test("the next command removes what a killed one left, and after Ctrl-C no process, mount or file is left", async () => {
  test.setTimeout(300_000);
  // Clusters of other tests remove what they find in the system's temporary folder.
  const parent = mkdtempSync(join(tmpdir(), "cluster-command-"));
  const killed = await startCommand(parent);
  // The worst moment: the nodes are running, but the command is not.
  await waitFor(killed, "both nodes have their mount", () => listMounts(parent).length === 2);
  const abandoned = join(
    parent,
    readdirSync(parent).find((name) => name.startsWith("lectern-cluster-"))!,
  );
  killed.child.kill("SIGKILL");
  await killed.ended;
  const left = leftOf(abandoned);
  // The second node may be restarting LiteFS as a candidate.
  expect([left.files, left.mounts.length > 0]).toEqual([true, true]);
  expect(left.processes).not.toEqual([]);

  const command = await startCommand(parent);
  const found = await waitFor(command, "the command prints the path of its logs", () =>
    /Logs: (.*)\/\*\/log/.exec(command.readOutput()),
  );
  const folder = found[1]!;
  expect((await fetch(`http://localhost:${command.port}/blog`)).status).toBe(200);
  expect(leftOf(abandoned)).toEqual(NOTHING);
  const { processes, mounts } = leftOf(folder);
  expect(processes.length).toBeGreaterThanOrEqual(2 * 4 + 1);
  expect(mounts).toHaveLength(2);
  command.child.kill("SIGINT");
  expect(await command.ended).toBe(0);
  expect(leftOf(folder)).toEqual(NOTHING);
  rmSync(parent, { recursive: true });
});
