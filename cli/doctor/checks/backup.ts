// Checks the age of the newest backup, and whether the last drill could restore it.

import { formatDuration } from "#lib/core/format.ts";
import {
  type BackupStatus,
  findBackupProblems,
  findBackupStatus,
  isBackupOn,
} from "#lib/core/backup-status.ts";
import { type Finding, note, ok, problem } from "../finding.ts";

const WHY = "If the disk fails, everything written since the newest backup is lost.";
const RUNBOOK = "docs/runbooks/restore.md";

const PROBLEMS = {
  no_backup: [
    "there is no backup yet",
    WHY,
    "npm run backup -- create shows why; in a cluster, on the primary",
  ],
  old_backup: ["the backup is old", WHY, "npm run backup -- create shows why it fails"],
  failed_drill: [
    "the last drill could not restore the backup",
    "A backup that can't be restored is worthless.",
    "npm run backup -- verify --all, then npm run backup -- create",
  ],
  old_drill: [
    "no drill has run for a long time",
    "It is unknown whether the backup can be restored.",
    "npm run backup -- drill",
  ],
} as const;

/** `status` is what the backup process reported on this instance; null if it never ran. */
export function checkBackupStatus(status: BackupStatus | null, nowMs: number): Finding[] {
  const problems = findBackupProblems(status, 0);
  const reason = status?.problem ? `: ${status.problem}` : "";
  if (problems.length > 0)
    return problems.map((name) => {
      const [what, why, fix] = PROBLEMS[name];
      return problem(`${what}${name === "old_backup" ? reason : ""}`, why, fix);
    });
  const age = formatDuration(Math.max(0, nowMs - (status?.completeAtMs ?? nowMs)), "largest-unit");
  return [ok(`backup: complete ${age} ago`)];
}

/** Returns the findings for this instance's backup. */
export function checkBackup(): Finding[] {
  if (!isBackupOn()) return [note("no backup is configured", WHY, `Set BACKUP_BUCKET: ${RUNBOOK}`)];
  return checkBackupStatus(findBackupStatus(), Date.now());
}
