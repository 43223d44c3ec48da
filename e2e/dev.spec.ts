// Tests the development server.

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { networkInterfaces } from "node:os";
import { expect, test } from "@playwright/test";

const PORT = "3123";
const DATA_DIR = ".data/e2e-dev";

/** Addresses at which other machines reach this one. */
const otherAddresses = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .filter(({ internal, family }) => !internal && family === "IPv4")
  .map(({ address }) => address);

test("npm run dev serves the site from a new database, and stops on SIGINT", async () => {
  test.setTimeout(240_000); // compiles the first page while other tests run
  rmSync(DATA_DIR, { recursive: true, force: true });
  const { DEPLOYMENT_ID: _, ...env } = process.env;
  const child = spawn(process.execPath, ["scripts/cli.mjs", "dev"], {
    env: { ...env, PORT, DATA_DIR, SITE_URL: "", LOG_LEVEL: "error" },
    stdio: "ignore",
  });
  const ended = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  try {
    await expect
      .poll(
        () =>
          fetch(`http://localhost:${PORT}/blog/one-door-for-writes`).then(
            (response) => response.status,
            () => 0,
          ),
        { timeout: 200_000 },
      )
      .toBe(200);
    for (const address of otherAddresses)
      await expect(fetch(`http://${address}:${PORT}/healthz`), address).rejects.toThrow();
  } finally {
    child.kill("SIGINT");
  }
  await ended;
  await expect(fetch(`http://localhost:${PORT}/`)).rejects.toThrow();
});
