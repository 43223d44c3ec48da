// The entry of the image: decides what this node may be, starts LiteFS with it, and repairs what can be repaired.
// LiteFS starts the launcher (scripts/launch.ts), the launcher the site. With REPLICATION=off there is no LiteFS.

import { join } from "node:path";
import { boot } from "#lib/launch/boot.ts";
import { say } from "#lib/launch/say.ts";
import { readSettings } from "#lib/launch/settings.ts";

try {
  const settings = readSettings(process.env, join(import.meta.dirname, ".."));
  process.env.INSTANCE = settings.instance;
  process.exitCode = await boot(settings, process.env);
} catch (error) {
  say("error", "boot.failed", { error });
  process.exitCode = 1;
}
