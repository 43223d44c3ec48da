import { describe, expect, test } from "vitest";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { insertFullAccount } from "#tests/support/full-account-fixture.ts";
import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { listAuditEvents } from "../db/audit.ts";
import type { Sql } from "../db/connection.ts";
import { readSql, writeSql } from "../db/database.ts";
import { findCounterMismatches } from "#lib/reading/rebuild-counters.ts";
import { recordLeadChanges } from "#lib/reading/lead-changes.ts";
import { deleteAccount, isDeleteConfirmed, isLastAdmin } from "./delete-account.ts";

const tables = (sql: Sql) =>
  sql
    .all<{ name: string }>(
      `SELECT "name" FROM "sqlite_schema" WHERE "type" = 'table' AND "name" NOT LIKE 'sqlite_%' AND "name" NOT LIKE '\\_%' ESCAPE '\\'`,
    )
    .map(({ name }) => name);
/** Returns every row of every table as text. */
const everything = (sql: Sql): Record<string, string[]> =>
  Object.fromEntries(
    tables(sql).map((name) => [
      name,
      sql
        .all<object>(`SELECT * FROM "${name}"`)
        .map((row) =>
          JSON.stringify(row, (_, value: unknown) =>
            value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
          ),
        )
        .sort(),
    ]),
  );

describe("deleting an account", () => {
  test("leaves no row of the member in any table, and no other row changed", async () => {
    await writeSql((sql) => insertFullAccount(sql, "bob", { team: "BLUE" }));
    const before = await readSql(everything);
    const ada = await writeSql((sql) => insertFullAccount(sql, "ada"));
    // The fixture must cover every table that can refer to a member.
    const full = await readSql(everything);
    const touched = Object.keys(full).filter(
      (name) => JSON.stringify(full[name]) !== JSON.stringify(before[name]),
    );
    expect(touched.sort()).toEqual(
      Object.keys(full)
        .filter(
          (name) =>
            !["AuditEvent", "ContentVersion", "OwnershipChange", "UsedToken"].includes(name),
        )
        .sort(),
    );
    await writeSql((sql) => deleteAccount(sql, ada.id));
    const after = await readSql(everything);
    // Only the audit event with the ID remains.
    expect({ ...after, AuditEvent: [] }).toEqual({ ...before, AuditEvent: [] });
    expect(after.AuditEvent).toHaveLength(1);
    expect(JSON.stringify(after)).not.toMatch(/\bada\b/);
  });

  test("reaches every table with a foreign key to members, by cascade", async () => {
    const keys = await readSql((sql) =>
      tables(sql).flatMap((name) =>
        sql
          .all<{ table: string; on_delete: string }>(`PRAGMA foreign_key_list("${name}")`)
          .map((key) => ({ name, ...key })),
      ),
    );
    expect(
      keys
        .filter(({ table }) => table === "User")
        .map(({ name }) => name)
        .sort(),
    ).toEqual([
      "Call",
      "Delivery",
      "DeviceLink",
      "MemberLastRead",
      "Passkey",
      "PasskeyChallenge",
      "PostRead",
      "Session",
      "Upload",
    ]);
    expect(keys.filter((key) => key.on_delete !== "CASCADE")).toEqual([]);
  });

  test("keeps the counters consistent and records a lead change", async () => {
    const ada = await writeSql((sql) => {
      const ada = insertFullAccount(sql, "ada", { team: "RED" });
      insertFullAccount(sql, "bob", { team: "BLUE" });
      insertRead(sql, {
        userId: ada.id,
        clientId: null,
        postSlug: "shared-post",
        createdAt: nowMs() - 10 * DAY_MS,
      });
      recordLeadChanges(sql, { slugs: ["ada-post", "bob-post", "shared-post"], nowMs: nowMs() });
      return ada;
    });
    const { slugs, changes } = await writeSql((sql) => {
      const { slugs } = deleteAccount(sql, ada.id);
      return { slugs, changes: recordLeadChanges(sql, { slugs, nowMs: nowMs() }) };
    });
    expect(slugs.sort()).toEqual(["ada-post", "shared-post"]);
    expect(changes).toContainEqual({ slug: "ada-post", from: "RED", to: null });
    expect(changes).toContainEqual({ slug: "shared-post", from: "RED", to: "BLUE" });
    expect(await readSql(findCounterMismatches)).toEqual([]);
  });

  test("is logged without the member's data", async () => {
    const { id } = await writeSql((sql) => insertFullAccount(sql, "ada"));
    await writeSql((sql) => deleteAccount(sql, id));
    expect(await readSql((sql) => listAuditEvents(sql))).toMatchObject([
      { actorId: id, action: "user.left", subjectId: id, detail: {} },
    ]);
  });

  test("is refused for the last admin, but not for one of two", async () => {
    const [ada, bob] = await writeSql((sql) => [
      insertUser(sql, { role: "ADMIN" }),
      insertUser(sql, { role: "ADMIN" }),
    ]);
    await writeSql((sql) => deleteAccount(sql, ada!.id));
    expect(await readSql((sql) => isLastAdmin(sql, bob!.id))).toBe(true);
    await expect(writeSql((sql) => deleteAccount(sql, bob!.id))).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await readSql((sql) => sql.all(`SELECT "id" FROM "User"`))).toEqual([{ id: bob!.id }]);
  });

  test("is refused for a deleted account, and not logged", async () => {
    await expect(writeSql((sql) => deleteAccount(sql, "unknown"))).rejects.toMatchObject({
      code: "not_found",
    });
    expect(await readSql((sql) => listAuditEvents(sql))).toEqual([]);
  });

  test("requires the word or the first name, ignoring case", () => {
    expect(
      ["delete", " DELETE ", "Zoë", "zoë", "Zoe\u0308"].map((typed) =>
        isDeleteConfirmed(typed, "Zoë"),
      ),
    ).toEqual([true, true, true, true, true]);
    expect(
      ["", "deleted", "yes", "Zoe", "Ada"].map((typed) => isDeleteConfirmed(typed, "Zoë")),
    ).toEqual([false, false, false, false, false]);
  });
});
