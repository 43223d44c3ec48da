// Supervises this node, as the image's entry point: decides its candidacy, runs LiteFS, and repairs
// its store. LiteFS starts server/launcher/main.ts, which starts server/site.ts. With
// REPLICATION=off, there is no LiteFS.

import { join } from "node:path";
import { supervise } from "./supervise.ts";
import { logEvent } from "#server/log-event.ts";
import { readSettings } from "#server/settings.ts";

try {
  const settings = readSettings(process.env, join(import.meta.dirname, "..", ".."));
  process.env.INSTANCE = settings.instance;
  process.exitCode = await supervise(settings, process.env);
} catch (error) {
  logEvent("error", "supervisor.failed", { error });
  process.exitCode = 1;
}
