// Launches the site as LiteFS's child process: migrates the primary's database, serves, hands over,
// and drains.

import { join } from "node:path";
import { launchSite } from "./launch-site.ts";
import { logEvent } from "#server/log-event.ts";
import { readSettings } from "#server/settings.ts";
import { SERVER_FLAGS } from "#server/server-flags.mjs";

try {
  process.exitCode = await launchSite(
    readSettings(process.env, join(import.meta.dirname, "..", "..")),
    process.env,
    SERVER_FLAGS,
  );
} catch (error) {
  logEvent("error", "launcher.failed", { error });
  process.exitCode = 1;
}
process.exit();
