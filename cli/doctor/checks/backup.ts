// Checks the age of the newest backup.

import { DAY_MS } from "#lib/core/clock.ts";
import { formatDuration } from "#lib/core/format.ts";
import { type Finding, note, ok, problem } from "../finding.ts";

/** `lastBackupAtMs` is null if there is none. */
export function checkBackupAge(lastBackupAtMs: number | null, nowMs: number): Finding[] {
  const fix = "docs/runbooks/restore.md, Back up";
  if (lastBackupAtMs === null)
    return [
      note("no backup is known", "If the disk dies, everything that people wrote is lost.", fix),
    ];
  const ageMs = nowMs - lastBackupAtMs;
  const what = `backup: ${formatDuration(ageMs, "largest-unit")} old`;
  return ageMs > DAY_MS
    ? [problem(what, "What was written since would be lost with the disk.", fix)]
    : [ok(what)];
}
