import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { DAY_MS, HOUR_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { RECENT_LOGIN_MS } from "#lib/core/member.ts";
import { hashSessionId } from "./session/hash-session-id.ts";
import type { Sql } from "../db/connection.ts";
import { readSql, writeSql } from "../db/database.ts";
import { createSession } from "./session/session.ts";
import { createDeviceLink, findDeviceLink, markLoginNotRecent } from "./device-link.ts";
import {
  deleteOtherSessions,
  deleteSessionByKey,
  deleteSession,
  listSessions,
  formatRegion,
  createSessionHandle,
} from "./sessions.ts";

const user = () => writeSql((sql) => insertUser(sql).id);
const session = (userId: string, where?: { device: string; place: string | null }) =>
  writeSql((sql) => hashSessionId(createSession(sql, userId, where).id));
const keys = async () =>
  (await readSql((sql) => sql.all<{ id: string }>(`SELECT "id" FROM "Session"`)))
    .map(({ id }) => id)
    .sort();

test("a member sees their own sessions, this one first, and what they are called is not their key", async () => {
  setClock(nowMs());
  const [ada, bob] = [await user(), await user()];
  await session(bob, { device: "Safari on iOS", place: null });
  const old = await session(ada, { device: "Firefox on Linux", place: "fra" });
  setClock(nowMs() + HOUR_MS);
  const moved = await session(ada);
  const list = await readSql((sql) => listSessions(sql, { userId: ada, sessionKey: old }));
  expect(list).toMatchObject([
    { device: "Firefox on Linux", place: "Frankfurt", isCurrent: true },
    { device: null, place: null, lastSeenAt: null, isCurrent: false },
  ]);
  for (const key of [old, moved]) expect(JSON.stringify(list)).not.toContain(key);
});

test("a session that has expired is not listed", async () => {
  const ada = await user();
  setClock(nowMs());
  const key = await session(ada);
  setClock(nowMs() + 366 * DAY_MS);
  expect(await readSql((sql) => listSessions(sql, { userId: ada, sessionKey: key }))).toEqual([]);
});

test("a member ends one of their own sessions and nobody else's", async () => {
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

test("ending one session, or one's own, voids the code for another device, and nobody else's", async () => {
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

test("a session that a code began is listed with the time it began, though it is no recent log-in", async () => {
  const ada = await user();
  const key = await session(ada, { device: "Firefox", place: null });
  const createdAt = () =>
    readSql((sql) => sql.get<{ at: number }>(`SELECT "createdAt" AS "at" FROM "Session"`)!.at);
  const begunAt = await createdAt();
  for (let i = 0; i < 2; i++) await writeSql((sql) => markLoginNotRecent(sql, key));
  setClock(nowMs() + HOUR_MS);
  expect(await readSql((sql) => listSessions(sql, { userId: ada, sessionKey: key }))).toMatchObject(
    [{ begunAt }],
  );
  expect(await createdAt()).toBeLessThanOrEqual(nowMs() - HOUR_MS - RECENT_LOGIN_MS);
});

test("ending all others leaves this one and other members', and voids the code for another device", async () => {
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

test("logging out ends that session alone", async () => {
  const ada = await user();
  const [one, two] = [await session(ada, { device: "Firefox", place: null }), await session(ada)];
  await writeSql((sql) => deleteSessionByKey(sql, one));
  expect(await keys()).toEqual([two]);
  expect(await readSql((sql) => sql.all(`SELECT * FROM "SessionInfo"`))).toEqual([]);
});

test("a place is a city where the region is known, its code where it is new", () => {
  expect(["ams", "zzz", "toString", null].map(formatRegion)).toEqual([
    "Amsterdam",
    "zzz",
    "toString",
    null,
  ]);
});
