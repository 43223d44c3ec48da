import { beforeEach, expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { explain, recordStatements, selectRows } from "#tests/support/database.ts";
import { insertUser } from "#tests/support/factories.ts";
import { HOUR_MS, MINUTE_MS, setClock } from "#lib/core/clock.ts";
import { isAppError } from "#lib/core/errors.ts";
import { read, write } from "#lib/db/database.ts";
import type { Team } from "#lib/reading/team.ts";
import type { Purpose } from "./consent.ts";
import { SIGNUP_TTL_MS } from "./cookies.ts";
import { startSignup, createMember, findMemberId, findPendingSignup } from "./sign-up.ts";

const NOW = Date.parse("2026-11-23T10:00:00Z");
beforeEach(() => setClock(NOW));

const begin = (email = "ada@example.test") => write((tx) => startSignup(tx, { email }));
const create = (
  browserId: string,
  overrides: { firstName?: string; team?: Team; consents?: Purpose[] } = {},
) => write((tx) => createMember(tx, { browserId, firstName: "Ada", team: "RED", ...overrides }));
const refusal = (made: Promise<unknown>) =>
  made.then(
    () => null,
    (error: unknown) => (isAppError(error) ? error.code : error),
  );
const users = () =>
  selectRows<{ email: string }>(`SELECT * FROM "User" ORDER BY "createdAt", "email"`);
const waiting = () =>
  read((tx) =>
    tx.delivery.findMany({
      select: { kind: true, payload: true, userId: true },
      orderBy: { id: "asc" },
    }),
  );

test("a new member has the verified address, the name and the team, and no admin role", async () => {
  const { browserId } = await begin();
  expect(await read((tx) => findPendingSignup(tx, { browserId }))).toEqual({
    email: "ada@example.test",
  });
  const { userId } = await create(browserId, { team: "BLUE" });
  expect(await users()).toEqual([
    {
      id: userId,
      createdAt: expect.any(Number),
      updatedAt: expect.any(Number),
      email: "ada@example.test",
      firstName: "Ada",
      discordId: null,
      convertKitId: null,
      role: "MEMBER",
      team: "BLUE",
    },
  ]);
  expect(await read((tx) => findPendingSignup(tx, { browserId }))).toBeNull();
});

test("a verified address creates one member, even with concurrent calls", async () => {
  const { browserId } = await begin();
  const results = await Promise.all(Array.from({ length: 10 }, () => refusal(create(browserId))));
  expect(results.filter((result) => result === null)).toHaveLength(1);
  expect(results.filter((result) => result === "conflict")).toHaveLength(9);
  expect(await refusal(create(browserId))).toBe("conflict");
  expect(await users()).toHaveLength(1);
});

test("without a verified address, no member is created", async () => {
  const { browserId } = await begin();
  const { browserHash } = await read((tx) => tx.pendingSignup.findFirstOrThrow());
  expect(browserHash).not.toBe(browserId);
  for (const forged of ["", "x", browserHash, browserId.toLowerCase() + "x"])
    expect(await refusal(create(forged))).toBe("conflict");
  setClock(NOW + SIGNUP_TTL_MS + MINUTE_MS);
  expect(await refusal(create(browserId))).toBe("conflict");
  expect(await users()).toEqual([]);
});

test("an address verified in two browsers creates one member", async () => {
  const [one, two] = [await begin(), await begin("ADA@example.test")];
  await create(one.browserId);
  expect(await refusal(create(two.browserId))).toBe("conflict");
  expect((await users()).map(({ email }) => email)).toEqual(["ada@example.test"]);
});

test("finds a migrated address with capitals: the exact match first, then the oldest", async () => {
  const [old, , exact] = await write((tx) => [
    insertUser(tx, { email: "Ada@Example.test", createdAt: NOW - 2 }),
    insertUser(tx, { email: "aDA@example.test", createdAt: NOW - 1 }),
    insertUser(tx, { email: "eve@example.test" }),
  ]);
  const find = (email: string) => read((tx) => findMemberId(tx, email));
  expect(await find("ada@example.test")).toBe(old?.id);
  expect(await find("eve@example.test")).toBe(exact?.id);
  const newest = await write((tx) => insertUser(tx, { email: "ada@example.test" }));
  expect(await find("ada@example.test")).toBe(newest.id);
  for (const unknown of ["", "ada", "%", "ada_example.test", "ada@example.tes"])
    expect(await find(unknown)).toBeNull();
});

test("the address lookup uses an index", async () => {
  const statements = await recordStatements(() => read((tx) => findMemberId(tx, "x")));
  const lookup = statements.find((statement) => statement.includes(`"User"`));
  expect((await explain(lookup!))[0]).toContain("USING INDEX User_by_email");
});

test("sends nothing anywhere without consent, whatever is configured", async () => {
  overrideEnv({ KIT_API_KEY: "key", KIT_FORM_ID: "1", DISCORD_WEBHOOK_URL: "http://127.0.0.1:9/" });
  try {
    await create((await begin()).browserId);
    expect(await waiting()).toEqual([]);
    expect(await read((tx) => tx.consent.count())).toBe(0);
  } finally {
    overrideEnv({ KIT_API_KEY: undefined, KIT_FORM_ID: undefined, DISCORD_WEBHOOK_URL: undefined });
  }
});

test("enqueues what a member agreed to in the same transaction, with markup escaped", async () => {
  await create((await begin()).browserId, { consents: ["DISCORD"] });
  expect(await waiting()).toEqual([]);
  overrideEnv({
    KIT_API_KEY: "key",
    KIT_FORM_ID: "1",
    DISCORD_WEBHOOK_URL: "http://127.0.0.1:9/hook",
  });
  try {
    const { browserId } = await begin("eve@example.test");
    const { userId } = await create(browserId, {
      firstName: "[free](http://evil.test) @everyone",
      team: "YELLOW",
      consents: ["DISCORD", "NEWSLETTER"],
    });
    const all = await waiting();
    expect(all.map(({ kind, userId: whose }) => [kind, whose])).toEqual([
      ["DISCORD", userId],
      ["NEWSLETTER", userId],
      ["MAIL", userId],
    ]);
    expect(JSON.parse(all[1]!.payload)).toMatchObject({ email: "eve@example.test" });
    expect(JSON.parse(all[0]!.payload).text).toBe(
      "\\[free\\]\\(http\\://evil.test\\) \\@everyone joined the Yellow team.",
    );
    expect(await refusal(create(browserId))).toBe("conflict");
    expect(await waiting()).toHaveLength(3);
  } finally {
    overrideEnv({ KIT_API_KEY: undefined, KIT_FORM_ID: undefined, DISCORD_WEBHOOK_URL: undefined });
  }
});

test("the database refuses an unknown team", async () => {
  const { browserId } = await begin();
  await expect(create(browserId, { team: "GREEN" as Team })).rejects.toThrow(/CHECK/);
  expect(await users()).toEqual([]);
  await create(browserId);
});

test("deletes sign-ups that expired more than an hour ago", async () => {
  await begin();
  setClock(NOW + SIGNUP_TTL_MS + HOUR_MS + MINUTE_MS);
  await begin();
  expect(await read((tx) => tx.pendingSignup.count())).toBe(1);
});
