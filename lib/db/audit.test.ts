import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { setClock } from "#lib/core/clock.ts";
import { listAuditEvents, recordAuditEvent } from "./audit.ts";
import { read, write } from "./database.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");

test("audit events have actor, action and time, newest first", async () => {
  setClock(NOW);
  await write(async (tx) => {
    await recordAuditEvent(tx, {
      actorId: "admin",
      action: "user.role",
      subjectId: "ada",
      detail: { from: "MEMBER", to: "ADMIN" },
    });
    await recordAuditEvent(tx, { actorId: null, action: "user.team", subjectId: "bea" });
  });
  const events = await read((tx) => listAuditEvents(tx));
  expect(events).toMatchObject([
    { actorId: null, action: "user.team", subjectId: "bea", detail: {} },
    {
      actorId: "admin",
      action: "user.role",
      subjectId: "ada",
      detail: { from: "MEMBER", to: "ADMIN" },
    },
  ]);
  expect(events[0]?.createdAt.getTime()).toBeGreaterThanOrEqual(NOW);
  expect(await read((tx) => listAuditEvents(tx, { subjectId: "ada" }))).toMatchObject([
    { action: "user.role" },
  ]);
  expect(await read((tx) => listAuditEvents(tx, { subjectId: "nobody" }))).toEqual([]);
  expect(await read((tx) => listAuditEvents(tx, { limit: 1 }))).toMatchObject([
    { action: "user.team" },
  ]);
});

test("a change that rolls back leaves no audit event", async () => {
  const failing = write(async (tx) => {
    await recordAuditEvent(tx, { actorId: "admin", action: "user.role", subjectId: "ada" });
    throw new TypeError("undone");
  });
  await expect(failing).rejects.toThrow("undone");
  expect(await read((tx) => listAuditEvents(tx))).toEqual([]);
});

test("an audit event outlives its subject and its actor", async () => {
  const { admin, ada } = await write((tx) => ({
    admin: insertUser(tx, { role: "ADMIN" }).id,
    ada: insertUser(tx).id,
  }));
  await write((tx) =>
    recordAuditEvent(tx, { actorId: admin, action: "user.delete", subjectId: ada }),
  );
  await write((tx) => tx.user.deleteMany());
  expect(await read((tx) => listAuditEvents(tx, { subjectId: ada }))).toMatchObject([
    { actorId: admin, action: "user.delete" },
  ]);
});
