import { readFileSync } from "node:fs";
import { beforeEach, expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { selectRows } from "#tests/support/database.ts";
import {
  type BackupStatus,
  backupIntervalMs,
  findBackupProblems,
  writeBackupStatus,
} from "#lib/core/backup-status.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { write } from "#lib/db/database.ts";
import { sendBackupAlerts } from "./backup-alerts.ts";

const BACKUP_ENV = {
  BACKUP_BUCKET: "backups",
  BACKUP_KEY: "0123456789abcdef0123456789abcdef",
  AWS_ACCESS_KEY_ID: "id",
  AWS_SECRET_ACCESS_KEY: "secret",
};

beforeEach(() => overrideEnv({ ...BACKUP_ENV, BACKUP_INTERVAL_SECONDS: undefined }));

const status = (change: Partial<BackupStatus> = {}): BackupStatus => ({
  completeAtMs: nowMs(),
  snapshotAtMs: nowMs(),
  writer: "test",
  problem: null,
  drill: null,
  pid: process.pid,
  updatedAtMs: nowMs(),
  ...change,
});
const drill = (problems: string[], startedAtMs = nowMs()) => ({
  startedAtMs,
  instance: "test",
  problems,
  restoreMs: 10,
  totalMs: 20,
  bytes: 4096,
  rows: 1,
  stateAtMs: startedAtMs,
});
const listEmails = () =>
  selectRows<{ payload: string }>("SELECT payload FROM Delivery WHERE kind = 'MAIL'");

test("an old backup and a failed or old drill are problems, and a fresh instance has a grace period", () => {
  const now = nowMs();
  const longAgo = now - DAY_MS;
  expect(findBackupProblems(null, now)).toEqual([]);
  expect(findBackupProblems(null, longAgo)).toEqual(["no_backup"]);
  expect(findBackupProblems(status({ completeAtMs: now - HOUR_MS }), now)).toEqual([]);
  expect(findBackupProblems(status({ completeAtMs: now - HOUR_MS }), longAgo)).toEqual([
    "old_backup",
  ]);
  expect(findBackupProblems(status({ drill: drill([]) }), longAgo)).toEqual([]);
  expect(findBackupProblems(status({ drill: drill(["rows of User"]) }), longAgo)).toEqual([
    "failed_drill",
  ]);
  expect(findBackupProblems(status({ drill: drill([], now - 15 * DAY_MS) }), longAgo)).toEqual([
    "old_drill",
  ]);
  overrideEnv({ BACKUP_INTERVAL_SECONDS: "3600" });
  expect(findBackupProblems(status({ completeAtMs: now - HOUR_MS }), longAgo)).toEqual([]);
});

test("in a cluster, the interval is shorter than the time for which LiteFS keeps transactions", () => {
  overrideEnv({ REPLICATION: "on", BACKUP_INTERVAL_SECONDS: "3600" });
  const [, minutes] = /retention: "(\d+)m"/.exec(readFileSync("litefs.yml", "utf8"))!;
  expect(backupIntervalMs()).toBeLessThanOrEqual((Number(minutes) * MINUTE_MS) / 2);
  overrideEnv({ BACKUP_INTERVAL_SECONDS: "20" });
  expect(backupIntervalMs()).toBe(20_000);
  overrideEnv({ REPLICATION: undefined, BACKUP_INTERVAL_SECONDS: "3600" });
  expect(backupIntervalMs()).toBe(HOUR_MS);
});

test("every admin gets one email about a failed drill, and the next a day later", async () => {
  await write((tx) => {
    insertUser(tx, { role: "ADMIN", email: "a@example.test" });
    insertUser(tx, { role: "ADMIN", email: "b@example.test" });
    insertUser(tx, { email: "member@example.test" });
  });
  writeBackupStatus(status());
  await sendBackupAlerts();
  expect(await listEmails()).toEqual([]);
  writeBackupStatus(
    status({ drill: drill(["rows of User: 1 in the backup, 900 in the live database"]) }),
  );
  await sendBackupAlerts();
  await sendBackupAlerts();
  const emails = (await listEmails()).map(({ payload }) => payload);
  expect(emails).toHaveLength(2);
  expect(emails.join()).toContain("a@example.test");
  expect(emails.join()).not.toContain("member@example.test");
  expect(emails[0]).toContain("rows of User");
  setClock(nowMs() + DAY_MS + HOUR_MS);
  writeBackupStatus(status({ drill: drill(["still failing"]) }));
  await sendBackupAlerts();
  expect(await listEmails()).toHaveLength(4);
});

test("nothing is sent without a backup, and a damaged status file counts as none", async () => {
  await write((tx) => insertUser(tx, { role: "ADMIN" }));
  overrideEnv({ BACKUP_BUCKET: undefined });
  await sendBackupAlerts(0);
  expect(await listEmails()).toEqual([]);
  overrideEnv(BACKUP_ENV);
  await sendBackupAlerts(0);
  expect(await listEmails()).toHaveLength(1);
});
