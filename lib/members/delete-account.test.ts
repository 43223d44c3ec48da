import { describe, expect, test } from "vitest";
import { execute, selectRows } from "#tests/support/database.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { insertFullAccount } from "#tests/support/full-account-fixture.ts";
import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { listAuditEvents } from "../db/audit.ts";
import { read, write } from "#lib/db/database.ts";
import { findCounterMismatches } from "#lib/reading/rebuild-counters.sql.ts";
import { enqueueDelivery } from "#lib/outbound/outbox/outbox.ts";
import { recordLeadChanges } from "#lib/reading/lead-changes.ts";
import { deleteAccount, isDeleteConfirmed, isLastAdmin } from "./delete-account.ts";
import { startChallenge } from "./login-challenge.ts";
import { startSignup } from "./sign-up.ts";
import { buildConfirmationEmail, subscribe } from "./subscribers.ts";

async function listTables(): Promise<string[]> {
  const tables = await selectRows<{ name: string }>(
    `SELECT "name" FROM "sqlite_schema" WHERE "type" = 'table' AND "name" NOT LIKE 'sqlite_%' AND "name" NOT LIKE '\\_%' ESCAPE '\\'`,
  );
  return tables.map(({ name }) => name);
}
/** Returns every row of every table as text. */
async function everything(): Promise<Record<string, string[]>> {
  const rowsByTable: Record<string, string[]> = {};
  for (const name of await listTables())
    rowsByTable[name] = (await selectRows<object>(`SELECT * FROM "${name}"`))
      .map((row) =>
        JSON.stringify(row, (_, value: unknown) =>
          value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : value,
        ),
      )
      .sort();
  return rowsByTable;
}

describe("deleting an account", () => {
  test("of a member whose domain is in Unicode deletes the logins in progress, which have it in ASCII", async () => {
    const { id } = await write((tx) => insertUser(tx, { email: "Ada@münchen.test" }));
    await write(async (tx) => {
      await startChallenge(tx, { email: "ada@xn--mnchen-3ya.test" });
      await startSignup(tx, { email: "ada@xn--mnchen-3ya.test" });
      await startChallenge(tx, { email: "bob@xn--mnchen-3ya.test" });
    });
    await write((tx) => deleteAccount(tx, id));
    expect(await selectRows(`SELECT "email" FROM "LoginChallenge"`)).toEqual([
      { email: "bob@xn--mnchen-3ya.test" },
    ]);
    expect(await selectRows(`SELECT "email" FROM "PendingSignup"`)).toEqual([]);
  });

  test("deletes deliveries to the address that were enqueued without a login, and no others", async () => {
    const { id } = await write((tx) => insertUser(tx, { email: "Ada@münchen.test" }));
    await write(async (tx) => {
      for (const to of ["ada@xn--mnchen-3ya.test", "bob@xn--mnchen-3ya.test"])
        await enqueueDelivery(
          tx,
          { kind: "MAIL", mail: buildConfirmationEmail(to) },
          { userId: null, about: "Subscription request" },
        );
      await subscribe(tx, { email: "ada@xn--mnchen-3ya.test" });
      await tx.delivery.updateMany({ data: { nextTryAt: null } });
    });
    await write((tx) => deleteAccount(tx, id));
    expect(await selectRows(`SELECT "payload" FROM "Delivery"`)).toEqual([
      { payload: expect.stringContaining(`"to":"bob@xn--mnchen-3ya.test"`) as string },
    ]);
  });

  test("deletes the rows kept from a migrated source that have the member's ID or address", async () => {
    const { id } = await write((tx) => insertUser(tx, { email: "Ada@münchen.test" }));
    await execute(
      `CREATE TABLE "_source_odd ""name""" ("key" TEXT PRIMARY KEY, "value" TEXT, "a ""b""" TEXT)`,
    );
    await execute(
      `CREATE TABLE "_quarantined_rows" ("source" TEXT NOT NULL, "key" TEXT NOT NULL, "reason" TEXT NOT NULL, "row" TEXT NOT NULL, PRIMARY KEY ("source", "key"))`,
    );
    const rows = [
      ["1", id, null],
      ["2", "x", "ADA@xn--mnchen-3ya.test"],
      ["3", "ada@münchen.test", null],
      ["4", "bob@münchen.test", `not ${id}`],
    ];
    for (const row of rows) {
      await execute(`INSERT INTO "_source_odd ""name""" VALUES (?, ?, ?)`, ...row);
      await execute(
        `INSERT INTO "_quarantined_rows" VALUES ('User', ?, 'invalid', ?)`,
        row[0]!,
        JSON.stringify(row),
      );
    }
    await write((tx) => deleteAccount(tx, id));
    expect(await selectRows(`SELECT "key" FROM "_source_odd ""name"""`)).toEqual([{ key: "4" }]);
    expect(await selectRows(`SELECT "key" FROM "_quarantined_rows"`)).toEqual([{ key: "4" }]);
  });

  test("leaves no row of the member in any table, and no other row changed", async () => {
    await write((tx) => insertFullAccount(tx, "bob", { team: "BLUE" }));
    const before = await everything();
    const ada = await write((tx) => insertFullAccount(tx, "ada"));
    // The fixture must cover every table that can refer to a member.
    const full = await everything();
    const touched = Object.keys(full).filter(
      (name) => JSON.stringify(full[name]) !== JSON.stringify(before[name]),
    );
    expect(touched.sort()).toEqual(
      Object.keys(full)
        .filter(
          (name) =>
            ![
              "AuditEvent",
              "ContentVersion",
              "DailyViews",
              "LeadCheck",
              "NewsletterDelivery",
              "NewsletterIssue",
              "OwnershipChange",
              "PostChange",
              "PreviewLink",
              "UsedToken",
            ].includes(name),
        )
        .sort(),
    );
    await write((tx) => deleteAccount(tx, ada.id));
    const after = await everything();
    // Only the audit event with the ID remains.
    expect({ ...after, AuditEvent: [] }).toEqual({ ...before, AuditEvent: [] });
    expect(after.AuditEvent).toHaveLength(1);
    expect(JSON.stringify(after)).not.toMatch(/\bada\b/);
  });

  test("reaches every table with a foreign key to members, by cascade", async () => {
    const keys: { name: string; table: string; on_delete: string }[] = [];
    for (const name of await listTables())
      for (const key of await selectRows<{ table: string; on_delete: string }>(
        `PRAGMA foreign_key_list("${name}")`,
      ))
        keys.push({ name, ...key });
    expect(
      keys
        .filter(({ table }) => table === "User")
        .map(({ name }) => name)
        .sort(),
    ).toEqual([
      "Call",
      "Consent",
      "Delivery",
      "DeviceLink",
      "MemberLastRead",
      "Passkey",
      "PasskeyChallenge",
      "PostRead",
      "ReadingPlace",
      "SavedPost",
      "Session",
      "Upload",
    ]);
    expect(keys.filter((key) => key.on_delete !== "CASCADE")).toEqual([]);
  });

  test("keeps the counters consistent and records a lead change", async () => {
    const ada = await write(async (tx) => {
      const ada = await insertFullAccount(tx, "ada", { team: "RED" });
      await insertFullAccount(tx, "bob", { team: "BLUE" });
      insertRead(tx, {
        userId: ada.id,
        clientId: null,
        postSlug: "shared-post",
        createdAt: nowMs() - 10 * DAY_MS,
      });
      recordLeadChanges(tx, { slugs: ["ada-post", "bob-post", "shared-post"], nowMs: nowMs() });
      return ada;
    });
    const { slugs, changes } = await write(async (tx) => {
      const { slugs } = await deleteAccount(tx, ada.id);
      return { slugs, changes: recordLeadChanges(tx, { slugs, nowMs: nowMs() }) };
    });
    expect(slugs.sort()).toEqual(["ada-post", "shared-post"]);
    expect(changes).toContainEqual({ slug: "ada-post", from: ["RED"], to: [] });
    expect(changes).toContainEqual({ slug: "shared-post", from: ["RED"], to: ["BLUE"] });
    expect(await read(findCounterMismatches)).toEqual([]);
  });

  test("is logged without the member's data", async () => {
    const { id } = await write((tx) => insertFullAccount(tx, "ada"));
    await write((tx) => deleteAccount(tx, id));
    expect(await read((tx) => listAuditEvents(tx))).toMatchObject([
      { actorId: id, action: "user.left", subjectId: id, detail: {} },
    ]);
  });

  test("is refused for the last admin, but not for one of two", async () => {
    const [ada, bob] = await write((tx) => [
      insertUser(tx, { role: "ADMIN" }),
      insertUser(tx, { role: "ADMIN" }),
    ]);
    await write((tx) => deleteAccount(tx, ada!.id));
    expect(await read((tx) => isLastAdmin(tx, bob!.id))).toBe(true);
    await expect(write((tx) => deleteAccount(tx, bob!.id))).rejects.toMatchObject({
      code: "conflict",
    });
    expect(await read((tx) => tx.user.findMany({ select: { id: true } }))).toEqual([
      { id: bob!.id },
    ]);
  });

  test("is refused for a deleted account, and not logged", async () => {
    await expect(write((tx) => deleteAccount(tx, "unknown"))).rejects.toMatchObject({
      code: "not_found",
    });
    expect(await read((tx) => listAuditEvents(tx))).toEqual([]);
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
