// Configures Chromium for every Playwright configuration.

import { devices } from "@playwright/test";

const sandboxArgs = process.getuid?.() === 0 ? ["--no-sandbox"] : [];

/** Chromium obeys only the last --disable-features, so this repeats Playwright's own list. */
const DISABLED_FEATURES = [
  // Starts a process for the next site of each new context, which few tests visit.
  "SpareRendererForSitePerProcess",
  "AvoidUnnecessaryBeforeUnloadCheckSync",
  "DestroyProfileOnBrowserClose",
  "HttpsUpgrades",
  "HttpsFirstBalancedModeAutoEnable",
  "LensOverlay",
  "MediaRouter",
  "PaintHolding",
  "ThirdPartyStoragePartitioning",
  "AvoidCorsURLLoaderRestartOnRedirect",
  "OptimizationHints",
  "NetworkTimeServiceQuerying",
  "PreconnectToSearch",
];

export const chromiumOptions = {
  ...devices["Desktop Chrome"],
  // Tracing copies every response out of the browser. To record a trace: `npm run e2e -- FILE --trace on`.
  trace: "off" as const,
  // Without a GPU, the CPU draws each frame of a view transition. Tests of the reader's and the
  // listener's journeys and of the recorder turn motion on.
  contextOptions: { reducedMotion: "reduce" as const },
  launchOptions: {
    executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
    args: [
      ...sandboxArgs,
      `--disable-features=${DISABLED_FEATURES.join(",")}`,
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
