import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { setClock } from "#lib/core/clock.ts";
import { listAuditEvents, recordAuditEvent } from "./audit.ts";
import { readSql, writeSql } from "./database.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");

test("audit events have actor, action and time, newest first", async () => {
  setClock(NOW);
  await writeSql((sql) => {
    recordAuditEvent(sql, {
      actorId: "admin",
      action: "user.role",
      subjectId: "ada",
      detail: { from: "MEMBER", to: "ADMIN" },
    });
    recordAuditEvent(sql, { actorId: null, action: "user.team", subjectId: "bea" });
  });
  const events = await readSql((sql) => listAuditEvents(sql));
  expect(events).toMatchObject([
    { actorId: null, action: "user.team", subjectId: "bea", detail: {} },
    {
      actorId: "admin",
      action: "user.role",
      subjectId: "ada",
      detail: { from: "MEMBER", to: "ADMIN" },
    },
  ]);
  expect(events[0]?.createdAt).toBeGreaterThanOrEqual(NOW);
  expect(await readSql((sql) => listAuditEvents(sql, { subjectId: "ada" }))).toMatchObject([
    { action: "user.role" },
  ]);
  expect(await readSql((sql) => listAuditEvents(sql, { subjectId: "nobody" }))).toEqual([]);
  expect(await readSql((sql) => listAuditEvents(sql, { limit: 1 }))).toMatchObject([
    { action: "user.team" },
  ]);
});

test("a change that rolls back leaves no audit event", async () => {
  const failing = writeSql((sql) => {
    recordAuditEvent(sql, { actorId: "admin", action: "user.role", subjectId: "ada" });
    throw new TypeError("undone");
  });
  await expect(failing).rejects.toThrow("undone");
  expect(await readSql((sql) => listAuditEvents(sql))).toEqual([]);
});

test("an audit event outlives its subject and its actor", async () => {
  const { admin, ada } = await writeSql((sql) => ({
    admin: insertUser(sql, { role: "ADMIN" }).id,
    ada: insertUser(sql).id,
  }));
  await writeSql((sql) =>
    recordAuditEvent(sql, { actorId: admin, action: "user.delete", subjectId: ada }),
  );
  await writeSql((sql) => sql.run(`DELETE FROM "User"`));
  expect(await readSql((sql) => listAuditEvents(sql, { subjectId: ada }))).toMatchObject([
    { actorId: admin, action: "user.delete" },
  ]);
});
