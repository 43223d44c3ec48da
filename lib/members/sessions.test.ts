import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { NOT_A_LOGIN } from "#lib/members/member.ts";
import { formatRegion } from "#lib/core/fly-regions.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { type Tx, read, write } from "#lib/db/database.ts";
import { createSession } from "#lib/members/sessions.ts";
import { createDeviceLink, findDeviceLink, markLoginNotRecent } from "./device-link.ts";
import {
  deleteOtherSessions,
  deleteSessionByKey,
  deleteSession,
  listSessions,
  createSessionHandle,
} from "./sessions.ts";

const user = () => write((tx) => insertUser(tx).id);
const session = (userId: string, where?: { device: string; place: string | null }) =>
  write(async (tx) => hashSecret((await createSession(tx, userId, where)).id));
const keys = async () =>
  (await read((tx) => tx.session.findMany({ select: { id: true } }))).map(({ id }) => id).sort();

test("lists the member's own sessions, the current one first, by handles that are not keys", async () => {
  setClock(nowMs());
  const [ada, bob] = [await user(), await user()];
  await session(bob, { device: "Safari on iOS", place: null });
  const old = await session(ada, { device: "Firefox on Linux", place: "fra" });
  setClock(nowMs() + HOUR_MS);
  const moved = await session(ada);
  const list = await read((tx) => listSessions(tx, { userId: ada, sessionKey: old }));
  expect(list).toMatchObject([
    { device: "Firefox on Linux", place: "Frankfurt", isCurrent: true },
    { device: null, place: null, lastSeenAtMs: null, isCurrent: false },
  ]);
  for (const key of [old, moved]) expect(JSON.stringify(list)).not.toContain(key);
});

test("lists the other sessions by last activity; a migrated one counts from its login", async () => {
  const start = nowMs();
  const ada = await user();
  const at = async (hours: number, device?: string) => {
    setClock(start + hours * HOUR_MS);
    return session(ada, device === undefined ? undefined : { device, place: null });
  };
  const current = await at(0, "current");
  const active = await at(1, "active");
  await at(2, "idle");
  await at(3);
  const backdated = await at(4, "by device link");
  await write((tx) => markLoginNotRecent(tx, backdated));
  await write((tx) =>
    tx.sessionInfo.update({
      where: { sessionId: active },
      data: { lastSeenAt: new Date(start + 5 * HOUR_MS) },
    }),
  );
  const list = await read((tx) => listSessions(tx, { userId: ada, sessionKey: current }));
  expect(list.map(({ device }) => device)).toEqual([
    "current",
    "active",
    "by device link",
    null,
    "idle",
  ]);
});

test("lists at most a hundred sessions, including the current one", async () => {
  const ada = await user();
  const current = await session(ada, { device: "current", place: null });
  setClock(nowMs() + HOUR_MS);
  await write(async (tx) => {
    for (let i = 0; i < 101; i++) await createSession(tx, ada, { device: "another", place: null });
  });
  const list = await read((tx) => listSessions(tx, { userId: ada, sessionKey: current }));
  expect(list).toHaveLength(100);
  expect(list.map(({ isCurrent }) => isCurrent)).toEqual([true, ...Array(99).fill(false)]);
});

test("does not list an expired session", async () => {
  const ada = await user();
  setClock(nowMs());
  const key = await session(ada);
  setClock(nowMs() + 366 * DAY_MS);
  expect(await read((tx) => listSessions(tx, { userId: ada, sessionKey: key }))).toEqual([]);
});

test("deletes only the member's own session", async () => {
  const [ada, bob] = [await user(), await user()];
  const [one, two, other] = [await session(ada), await session(ada), await session(bob)];
  for (const handle of [createSessionHandle(other), other, two, "", "x".repeat(43)]) {
    await expect(write((tx) => deleteSession(tx, { userId: ada, handle }))).rejects.toMatchObject({
      code: "not_found",
    });
  }
  await write((tx) => deleteSession(tx, { userId: ada, handle: createSessionHandle(two) }));
  expect(await keys()).toEqual([one, other].sort());
});

test("deleting a session invalidates the member's device link, and no other member's", async () => {
  const [ada, bob] = [await user(), await user()];
  const [one, two] = [await session(ada), await session(ada)];
  const theirs = await write(async (tx) => (await createDeviceLink(tx, bob)).token);
  for (const end of [
    (tx: Tx) => deleteSession(tx, { userId: ada, handle: createSessionHandle(two) }),
    (tx: Tx) => deleteSessionByKey(tx, one),
  ]) {
    const { token } = await write((tx) => createDeviceLink(tx, ada));
    await write(end);
    expect(
      await read(async (tx) => [
        await findDeviceLink(tx, token),
        (await findDeviceLink(tx, theirs))?.userId,
      ]),
    ).toEqual([null, bob]);
  }
});

test("lists a login with a device link by its real time, though it does not count as recent", async () => {
  const ada = await user();
  const key = await session(ada, { device: "Firefox", place: null });
  const createdAt = () =>
    read(async (tx) => (await tx.session.findFirstOrThrow()).createdAt.getTime());
  const startedAtMs = await createdAt();
  for (let i = 0; i < 2; i++) await write((tx) => markLoginNotRecent(tx, key));
  setClock(nowMs() + HOUR_MS);
  expect(await read((tx) => listSessions(tx, { userId: ada, sessionKey: key }))).toMatchObject([
    { startedAtMs },
  ]);
  expect(await createdAt()).toBe(NOT_A_LOGIN.getTime());
});

test("deleting other sessions keeps this one and other members', and invalidates the device link", async () => {
  const [ada, bob] = [await user(), await user()];
  const [one, , other] = [await session(ada), await session(ada), await session(bob)];
  const [mine, theirs] = await write(async (tx) => [
    (await createDeviceLink(tx, ada)).token,
    (await createDeviceLink(tx, bob)).token,
  ]);
  expect(await write((tx) => deleteOtherSessions(tx, { userId: ada, sessionKey: one }))).toBe(1);
  expect(await keys()).toEqual([one, other].sort());
  expect(
    await read(async (tx) => [
      await findDeviceLink(tx, mine!),
      (await findDeviceLink(tx, theirs!))?.userId,
    ]),
  ).toEqual([null, bob]);
});

test("a logout deletes one session", async () => {
  const ada = await user();
  const [one, two] = [await session(ada, { device: "Firefox", place: null }), await session(ada)];
  await write((tx) => deleteSessionByKey(tx, one));
  expect(await keys()).toEqual([two]);
  expect(await read((tx) => tx.sessionInfo.count())).toBe(0);
});

test("a region is shown as its city, or as its code if unknown", () => {
  expect(["ams", "zzz", "toString", null].map(formatRegion)).toEqual([
    "Amsterdam",
    "zzz",
    "toString",
    null,
  ]);
});

test("a login deletes the member's expired sessions, and no others", async () => {
  const start = nowMs();
  setClock(start);
  const [ada, bob] = [await user(), await user()];
  const [expired, other] = [await session(ada), await session(bob)];
  setClock(start + HOUR_MS);
  const current = await session(ada);
  setClock(start + 365 * DAY_MS + 5 * MINUTE_MS);
  const created = await session(ada);
  const stored = await keys();
  expect(stored).not.toContain(expired);
  for (const key of [other, current, created]) expect(stored).toContain(key);
});

test("a member has at most 1,000 sessions: a login deletes those that expire first", async () => {
  const [ada, bob] = [await user(), await user()];
  await session(bob);
  await write((tx) =>
    tx.session.createMany({
      data: Array.from({ length: 1_005 }, (_, i) => ({
        id: `ada-${i}`,
        createdAt: new Date(nowMs()),
        userId: ada,
        expirationDate: new Date(nowMs() + DAY_MS + i),
      })),
    }),
  );
  const added = await session(ada);
  const remainingKeys = await keys();
  expect(remainingKeys).toHaveLength(1_001);
  expect(remainingKeys).toContain(added);
  expect(remainingKeys).not.toContain("ada-5");
  expect(remainingKeys).toContain("ada-6");
});
