// Configures Chromium for every Playwright configuration.

import { devices } from "@playwright/test";

const sandboxArgs = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

export const chromiumOptions = {
  ...devices["Desktop Chrome"],
  // Tracing copies every response out of the browser. To record a trace: `npm run e2e -- FILE --trace on`.
  trace: "off" as const,
  launchOptions: {
    executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
    args: [
      ...sandboxArgs,
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--use-fake-device-for-media-stream",
      "--use-fake-ui-for-media-stream",
    ],
  },
};
