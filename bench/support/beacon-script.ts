// Writes wrk scripts. Beacons have unique tokens and random client addresses, because rate limits
// count by address.

import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { issueDwellToken } from "#lib/reading/dwell-token.ts";

export interface BeaconOptions {
  readonly dir: string;
  readonly slug: string;
  /** More than a run uses, because each token counts once. */
  readonly tokens: number;
  /** Mean pause of each connection before each request in milliseconds. Default: 0. */
  readonly pauseMs?: number;
}

/**
 * Writes a script that POSTs beacons to wrk's URL. Returns its path. Tokens are signed with this
 * process's SESSION_SECRET.
 */
export function writeBeaconScript({ dir, slug, tokens, pauseMs = 0 }: BeaconOptions): string {
  // One hour ago, which is enough reading time for any article.
  const issuedMs = Date.now() - 3_600_000;
  const [list, path] = [resolve(dir, "tokens"), join(dir, "beacon.lua")];
  writeFileSync(
    list,
    Array.from({ length: tokens }, () => issueDwellToken({ slug, nowMs: issuedMs })).join("\n"),
  );
  writeFileSync(
    path,
    `local tokens = {}
for line in io.lines("${list}") do tokens[#tokens + 1] = line end
local i = 0
request = function()
  i = i + 1
  local headers = { ["content-type"] = "text/plain", ["sec-fetch-site"] = "same-origin",
    ["user-agent"] = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    ["fly-client-ip"] = math.random(1, 220) .. "." .. math.random(0, 255) .. "." .. math.random(0, 255) .. "." .. math.random(1, 254) }
  return wrk.format("POST", nil, headers, '{"token":"' .. tokens[i] .. '","slug":"${slug}"}')
end
${pauseMs > 0 ? delayLua(pauseMs) : ""}`,
  );
  return path;
}

/** Writes a script that pauses before each GET. Returns its path. */
export function writePausedScript({ dir, pauseMs }: { dir: string; pauseMs: number }): string {
  const path = join(dir, "paused.lua");
  writeFileSync(path, delayLua(pauseMs));
  return path;
}

// Jitter keeps connections from synchronizing.
const delayLua = (ms: number) =>
  `delay = function() return math.random(${Math.round(ms / 2)}, ${Math.round(ms * 1.5)}) end\n`;
