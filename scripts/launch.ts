// LiteFS' child: brings the database up to date where LiteFS says that this node may, starts the site, hands over and drains.

import { join } from "node:path";
import { launchSite } from "#lib/launch/launch.ts";
import { logEvent } from "#lib/launch/say.ts";
import { readSettings } from "#lib/launch/settings.ts";
import { SERVER_FLAGS } from "./server-flags.mjs";

try {
  process.exitCode = await launchSite(
    readSettings(process.env, join(import.meta.dirname, "..")),
    process.env,
    SERVER_FLAGS,
  );
} catch (error) {
  logEvent("error", "launch.failed", { error });
  process.exitCode = 1;
}
process.exit();
