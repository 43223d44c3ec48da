import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import type { Role } from "#lib/db/column-values.ts";
import type { Member } from "#lib/members/member.ts";
import { recordAuditEvent } from "#lib/db/audit.ts";
import { type Tx, write } from "#lib/db/database.ts";
import { EVENTS_PER_PAGE, listAuditLog } from "./audit-log.ts";

function someone(tx: Tx, role: Role): Member {
  const { id, firstName, team } = insertUser(tx, { role, firstName: "Root" });
  return { id, firstName, team, role, sessionKey: "s", loggedInAtMs: 0 };
}

test("a member can't read the log, not even about themselves", () =>
  write(async (tx) => {
    const member = someone(tx, "MEMBER");
    for (const subjectId of [null, member.id])
      await expect(listAuditLog(tx, member, { subjectId })).rejects.toThrow(
        expect.objectContaining({ code: "forbidden" }),
      );
  }));

test("the log names actors and subjects that still exist", () =>
  write(async (tx) => {
    const admin = someone(tx, "ADMIN");
    const { id } = insertUser(tx, { firstName: "Ada" });
    await recordAuditEvent(tx, { actorId: null, action: "user.role", subjectId: id });
    await recordAuditEvent(tx, {
      actorId: admin.id,
      action: "user.edit",
      subjectId: id,
      detail: { name: "changed" },
    });
    await recordAuditEvent(tx, { actorId: "gone", action: "user.delete", subjectId: "also gone" });
    expect((await listAuditLog(tx, admin)).events).toMatchObject([
      { action: "user.delete", actorName: null, subjectName: null },
      { action: "user.edit", actorName: "Root", subjectName: "Ada", detail: { name: "changed" } },
      { action: "user.role", actorId: null, actorName: null, subjectName: "Ada" },
    ]);
    expect((await listAuditLog(tx, admin, { subjectId: id })).events).toHaveLength(2);
  }));

test("pages list every event once", () =>
  write(async (tx) => {
    const admin = someone(tx, "ADMIN");
    for (let i = 0; i <= EVENTS_PER_PAGE; i++)
      await recordAuditEvent(tx, { actorId: null, action: "x", subjectId: String(i) });
    const first = await listAuditLog(tx, admin);
    const second = await listAuditLog(tx, admin, { before: first.next });
    expect([
      first.events.length,
      second.events.map(({ subjectId }) => subjectId),
      second.next,
    ]).toEqual([EVENTS_PER_PAGE, ["0"], null]);
  }));
