// The browser tests of members and calls, as they are, on a cluster: through the edge in ams, answered by a replica, written by
// the primary in dfw. Run by npm run test:cluster. Left out are the tests marked @one-instance: each says why.

process.env.SITE_UNDER_TEST = "cluster";
const { default: single } = await import("./playwright.config.ts");
const { CONTROL_PORT, PORT } = await import("./tests/support/e2e/site-under-test.ts");

export default {
  ...single,
  outputDir: ".data/members-results",
  grepInvert: /@one-instance/,
  testIgnore: [],
  projects: [
    {
      name: "members",
      testMatch: /e2e\/(login|me|record|calls|session|old-cookies)\.spec\.ts$/,
      teardown: "ams",
    },
    { name: "ams", testMatch: /cluster\/members\.teardown\.ts$/ },
  ],
  use: { ...single.use, baseURL: `http://localhost:${PORT}` },
  webServer: {
    // In place of the shell that Playwright starts: then the server sees that Playwright is gone.
    command: "exec node tests/support/cluster/members-server.ts",
    url: `http://127.0.0.1:${CONTROL_PORT}/ready`,
    timeout: 600_000,
    reuseExistingServer: false,
    gracefulShutdown: { signal: "SIGTERM" as const, timeout: 30_000 },
    stdout: "ignore" as const,
    stderr: "pipe" as const,
  },
};
