import { expect, test } from "vitest";
import { insertCall, insertUser } from "#tests/support/factories.ts";
import { nowMs, setClock } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
import { changeFirstName, firstNameField, getProfile } from "./profile.ts";

test("a first name has 1 to 60 characters", () => {
  const good = ["A", "Ada", "  Ada   Lovelace ", "é".repeat(60), "😀".repeat(60)];
  expect(good.map((name) => firstNameField().safeParse(name).success)).toEqual(
    good.map(() => true),
  );
  const bad = [
    "",
    "   ",
    "a".repeat(61),
    "A\u0000da",
    "A\u202eda",
    "\u200b",
    "\u3164\u3164",
    5,
    undefined,
  ];
  expect(bad.map((name) => firstNameField().safeParse(name).success)).toEqual(bad.map(() => false));
});

test("changing a first name affects one member and sets updatedAt", async () => {
  setClock(nowMs());
  const [ada, bob] = await write((tx) => [insertUser(tx), insertUser(tx, { firstName: "Bob" })]);
  setClock(nowMs() + 5_000);
  await write((tx) => changeFirstName(tx, { userId: ada!.id, name: "Augusta" }));
  const rows = await read((tx) =>
    tx.user.findMany({
      select: { firstName: true, updatedAt: true },
      orderBy: { firstName: "asc" },
    }),
  );
  expect(rows.map((row) => row.firstName)).toEqual(["Augusta", "Bob"]);
  expect(rows[0]!.updatedAt.getTime()).toBeGreaterThan(ada!.updatedAt);
  expect(rows[1]!.updatedAt.getTime()).toBe(bob!.updatedAt);
});

test("a profile counts the member's own calls", async () => {
  const { ada } = await write((tx) => {
    const [ada, bob] = [insertUser(tx), insertUser(tx)];
    for (const userId of [ada.id, ada.id, bob.id]) insertCall(tx, { userId });
    return { ada };
  });
  expect(await read((tx) => getProfile(tx, ada.id))).toMatchObject({
    email: ada.email,
    callCount: 2,
    episodeCount: 0,
  });
  await expect(read((tx) => getProfile(tx, "unknown"))).rejects.toMatchObject({
    code: "not_found",
  });
});
