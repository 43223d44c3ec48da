// Emails the admins if the backup is too old or a drill has failed.

import {
  type BackupProblem,
  findBackupProblems,
  findBackupStatus,
  isBackupOn,
} from "#lib/core/backup-status.ts";
import { DAY_MS, MINUTE_MS, nowMs } from "#lib/core/clock.ts";
import { env } from "#lib/core/env.ts";
import { log } from "#lib/core/log.ts";
import { singleton } from "#lib/core/singleton.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { currentRole } from "#lib/replication/role.ts";
import { enqueueDelivery } from "./outbox/outbox.ts";

const CHECK_INTERVAL_MS = MINUTE_MS;
/** A problem that persists is reported again. */
const REPEAT_INTERVAL_MS = DAY_MS;
const MAX_RECIPIENTS = 20;
const ACTION = "backup.alert";

export const BACKUP_PROBLEM_TEXTS: Readonly<Record<BackupProblem, string>> = {
  no_backup: "There is no backup yet.",
  old_backup: "The backup is not up to date.",
  failed_drill: "The last restore drill failed.",
  old_drill: "No restore drill has run recently.",
};

export const processStartMs = Date.now() - process.uptime() * 1_000;

const wasReported = (tx: Tx, problem: BackupProblem) =>
  tx.auditEvent.findFirst({
    where: {
      action: ACTION,
      subjectId: problem,
      createdAt: { gt: new Date(nowMs() - REPEAT_INTERVAL_MS) },
    },
    select: { id: true },
  });

/**
 * Emails the admins about each problem that was not reported within a day. Records this in the same
 * transaction, so that a restart or failover repeats nothing. Does nothing on a replica.
 */
export async function sendBackupAlerts(sinceMs = processStartMs): Promise<void> {
  if (!isBackupOn() || currentRole() !== "primary") return;
  const status = findBackupStatus();
  const problems = findBackupProblems(status, sinceMs);
  if (problems.length === 0) return;
  const unreported = await read(async (tx) => {
    const isReported = await Promise.all(problems.map((problem) => wasReported(tx, problem)));
    return problems.filter((_, i) => !isReported[i]);
  });
  if (unreported.length === 0) return;
  const details = [status?.problem, ...(status?.drill?.problems ?? [])].filter(
    (text) => text != null,
  );
  await write(async (tx) => {
    const admins = await tx.user.findMany({
      where: { role: "ADMIN" },
      select: { id: true, email: true },
      orderBy: [{ createdAt: "asc" }, { id: "asc" }],
      take: MAX_RECIPIENTS,
    });
    const texts = unreported.map((problem) => BACKUP_PROBLEM_TEXTS[problem]);
    for (const { id, email } of admins)
      await enqueueDelivery(
        tx,
        {
          kind: "MAIL",
          mail: {
            to: email,
            subject: `Backup: ${texts[0]}`,
            parts: [
              ...texts,
              ...details.slice(0, 5),
              "Run npm run doctor on the server for details.",
              { link: `${env.SITE_URL}/admin`, label: "Open the admin page" },
            ],
          },
        },
        { userId: id, about: "Backup alert" },
      );
    for (const problem of unreported)
      await recordAuditEvent(tx, { actorId: null, action: ACTION, subjectId: problem });
  });
}

/** Starts checking once a minute, once per process. */
export function startBackupAlerts(): void {
  const shared = singleton("backup-alerts", (): { timer?: NodeJS.Timeout } => ({}));
  if (!isBackupOn() || shared.timer) return;
  shared.timer = setInterval(
    () =>
      void sendBackupAlerts().catch((error: unknown) =>
        log("error", "backup.alert_failed", { error }),
      ),
    CHECK_INTERVAL_MS,
  );
  shared.timer.unref();
}
