import { expect, test } from "vitest";
import { insertUser } from "#tests/factories.ts";
import { setClock } from "../base/clock.ts";
import { listAudit, recordAudit } from "./audit.ts";
import { snapshotSql, writeSql } from "./database.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");

test("what an admin changes is written down with who, what and when, newest first", async () => {
  setClock(NOW);
  await writeSql((sql) => {
    recordAudit(sql, {
      actorId: "admin",
      action: "user.role",
      subjectId: "ada",
      detail: { from: "MEMBER", to: "ADMIN" },
    });
    recordAudit(sql, { actorId: null, action: "user.team", subjectId: "bea" });
  });
  const events = await snapshotSql((sql) => listAudit(sql));
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
  expect(await snapshotSql((sql) => listAudit(sql, { subjectId: "ada" }))).toMatchObject([
    { action: "user.role" },
  ]);
  expect(await snapshotSql((sql) => listAudit(sql, { subjectId: "nobody" }))).toEqual([]);
  expect(await snapshotSql((sql) => listAudit(sql, { limit: 1 }))).toMatchObject([
    { action: "user.team" },
  ]);
});

test("a change that is undone leaves no note of itself", async () => {
  const failing = writeSql((sql) => {
    recordAudit(sql, { actorId: "admin", action: "user.role", subjectId: "ada" });
    throw new TypeError("undone");
  });
  await expect(failing).rejects.toThrow("undone");
  expect(await snapshotSql((sql) => listAudit(sql))).toEqual([]);
});

test("the note outlives the member whom it names, and the admin who made it", async () => {
  const { admin, ada } = await writeSql((sql) => ({
    admin: insertUser(sql, { role: "ADMIN" }).id,
    ada: insertUser(sql).id,
  }));
  await writeSql((sql) =>
    recordAudit(sql, { actorId: admin, action: "user.delete", subjectId: ada }),
  );
  await writeSql((sql) => sql.run(`DELETE FROM "User"`));
  expect(await snapshotSql((sql) => listAudit(sql, { subjectId: ada }))).toMatchObject([
    { actorId: admin, action: "user.delete" },
  ]);
});
