// The entry of the image: decides what this node may be, starts LiteFS with it, and repairs what can be repaired.
// LiteFS starts the launcher (server/launcher/main.ts), the launcher the site. With REPLICATION=off there is no LiteFS.

import { join } from "node:path";
import { supervise } from "./supervise.ts";
import { logEvent } from "#server/log-event.ts";
import { readSettings } from "#server/settings.ts";

try {
  const settings = readSettings(process.env, join(import.meta.dirname, "..", ".."));
  process.env.INSTANCE = settings.instance;
  process.exitCode = await supervise(settings, process.env);
} catch (error) {
  logEvent("error", "boot.failed", { error });
  process.exitCode = 1;
}
