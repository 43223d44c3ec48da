// The entry of the image: decides what this node may be, starts LiteFS with it, and repairs what can be repaired.
// LiteFS starts the launcher (scripts/launch.ts), the launcher the site. With REPLICATION=off there is no LiteFS.

import { join } from "node:path";
import { supervise } from "#lib/launch/boot.ts";
import { logEvent } from "#lib/launch/say.ts";
import { readSettings } from "#lib/launch/settings.ts";

try {
  const settings = readSettings(process.env, join(import.meta.dirname, ".."));
  process.env.INSTANCE = settings.instance;
  process.exitCode = await supervise(settings, process.env);
} catch (error) {
  logEvent("error", "boot.failed", { error });
  process.exitCode = 1;
}
