import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { DAY_MS, HOUR_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { RECENT_LOGIN_MS } from "#lib/members/member.ts";
import { formatRegion } from "#lib/core/fly-regions.ts";
import { hashSecret } from "#lib/core/secret.ts";
import type { Sql } from "../db/connection.ts";
import { readSql, writeSql } from "../db/database.ts";
import { createSession } from "#lib/members/sessions.ts";
import { createDeviceLink, findDeviceLink, markLoginNotRecent } from "./device-link.ts";
import {
  deleteOtherSessions,
  deleteSessionByKey,
  deleteSession,
  listSessions,
  createSessionHandle,
} from "./sessions.ts";

const user = () => writeSql((sql) => insertUser(sql).id);
const session = (userId: string, where?: { device: string; place: string | null }) =>
  writeSql((sql) => hashSecret(createSession(sql, userId, where).id));
const keys = async () =>
  (await readSql((sql) => sql.all<{ id: string }>(`SELECT "id" FROM "Session"`)))
    .map(({ id }) => id)
    .sort();

test("lists the member's own sessions, the current one first, by handles that are not keys", async () => {
  setClock(nowMs());
  const [ada, bob] = [await user(), await user()];
  await session(bob, { device: "Safari on iOS", place: null });
  const old = await session(ada, { device: "Firefox on Linux", place: "fra" });
  setClock(nowMs() + HOUR_MS);
  const moved = await session(ada);
  const list = await readSql((sql) => listSessions(sql, { userId: ada, sessionKey: old }));
  expect(list).toMatchObject([
    { device: "Firefox on Linux", place: "Frankfurt", isCurrent: true },
    { device: null, place: null, lastSeenAtMs: null, isCurrent: false },
  ]);
  for (const key of [old, moved]) expect(JSON.stringify(list)).not.toContain(key);
});

test("does not list an expired session", async () => {
  const ada = await user();
  setClock(nowMs());
  const key = await session(ada);
  setClock(nowMs() + 366 * DAY_MS);
  expect(await readSql((sql) => listSessions(sql, { userId: ada, sessionKey: key }))).toEqual([]);
});

test("deletes only the member's own session", async () => {
  const [ada, bob] = [await user(), await user()];
  const [one, two, other] = [await session(ada), await session(ada), await session(bob)];
  for (const handle of [createSessionHandle(other), other, two, "", "x".repeat(43)]) {
    await expect(
      writeSql((sql) => deleteSession(sql, { userId: ada, handle })),
    ).rejects.toMatchObject({ code: "not_found" });
  }
  await writeSql((sql) => deleteSession(sql, { userId: ada, handle: createSessionHandle(two) }));
  expect(await keys()).toEqual([one, other].sort());
});

test("deleting a session invalidates the member's device link, and no other member's", async () => {
  const [ada, bob] = [await user(), await user()];
  const [one, two] = [await session(ada), await session(ada)];
  const theirs = await writeSql((sql) => createDeviceLink(sql, bob).token);
  for (const end of [
    (sql: Sql) => deleteSession(sql, { userId: ada, handle: createSessionHandle(two) }),
    (sql: Sql) => deleteSessionByKey(sql, one),
  ]) {
    const { token } = await writeSql((sql) => createDeviceLink(sql, ada));
    await writeSql(end);
    expect(
      await readSql((sql) => [findDeviceLink(sql, token), findDeviceLink(sql, theirs)?.userId]),
    ).toEqual([null, bob]);
  }
});

test("lists a login with a device link by its real time, though it does not count as recent", async () => {
  const ada = await user();
  const key = await session(ada, { device: "Firefox", place: null });
  const createdAt = () =>
    readSql((sql) => sql.get<{ at: number }>(`SELECT "createdAt" AS "at" FROM "Session"`)!.at);
  const startedAtMs = await createdAt();
  for (let i = 0; i < 2; i++) await writeSql((sql) => markLoginNotRecent(sql, key));
  setClock(nowMs() + HOUR_MS);
  expect(await readSql((sql) => listSessions(sql, { userId: ada, sessionKey: key }))).toMatchObject(
    [{ startedAtMs }],
  );
  expect(await createdAt()).toBeLessThanOrEqual(nowMs() - HOUR_MS - RECENT_LOGIN_MS);
});

test("deleting other sessions keeps this one and other members', and invalidates the device link", async () => {
  const [ada, bob] = [await user(), await user()];
  const [one, , other] = [await session(ada), await session(ada), await session(bob)];
  const [mine, theirs] = await writeSql((sql) => [
    createDeviceLink(sql, ada).token,
    createDeviceLink(sql, bob).token,
  ]);
  expect(await writeSql((sql) => deleteOtherSessions(sql, { userId: ada, sessionKey: one }))).toBe(
    1,
  );
  expect(await keys()).toEqual([one, other].sort());
  expect(
    await readSql((sql) => [findDeviceLink(sql, mine!), findDeviceLink(sql, theirs!)?.userId]),
  ).toEqual([null, bob]);
});

test("a logout deletes one session", async () => {
  const ada = await user();
  const [one, two] = [await session(ada, { device: "Firefox", place: null }), await session(ada)];
  await writeSql((sql) => deleteSessionByKey(sql, one));
  expect(await keys()).toEqual([two]);
  expect(await readSql((sql) => sql.all(`SELECT * FROM "SessionInfo"`))).toEqual([]);
});

test("a region is shown as its city, or as its code if unknown", () => {
  expect(["ams", "zzz", "toString", null].map(formatRegion)).toEqual([
    "Amsterdam",
    "zzz",
    "toString",
    null,
  ]);
});
