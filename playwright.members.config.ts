// Runs the browser tests tagged @replica on a cluster: a replica in ams answers, the primary in dfw writes.
// These are the ones whose way through the code differs there. Part of npm run test:cluster.

process.env.SITE_UNDER_TEST = "cluster";
const { default: single } = await import("./playwright.config.ts");
const { CONTROL_PORT, PORT } = await import("./tests/support/e2e/site-under-test.ts");

export default {
  ...single,
  outputDir: ".data/members-results",
  testIgnore: [],
  projects: [
    {
      name: "members",
      testMatch: /e2e\/(journeys\/)?[\w-]+\.spec\.ts$/,
      grep: /@replica/,
      teardown: "ams",
    },
    { name: "ams", testMatch: /cluster\/members\.teardown\.ts$/ },
  ],
  use: { ...single.use, baseURL: `http://localhost:${PORT}` },
  webServer: {
    // exec replaces Playwright's shell, so the server notices when Playwright is gone.
    command: "exec node tests/support/cluster/members-server.ts",
    url: `http://127.0.0.1:${CONTROL_PORT}/ready`,
    timeout: 600_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: "SIGTERM" as const, timeout: 30_000 },
    stdout: "ignore" as const,
    stderr: "pipe" as const,
  },
};
