import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { SECOND_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { isRecentLogin } from "#lib/core/member.ts";
import { hashSessionId } from "./session/hash-session-id.ts";
import { readSql, writeSql } from "../db/database.ts";
import { resolveViewer, createSession } from "./session/session.ts";
import {
  createDeviceLink,
  findDeviceLink,
  markLoginNotRecent,
  consumeDeviceLink,
} from "./device-link.ts";

const user = (firstName = "Ada") => writeSql((sql) => insertUser(sql, { firstName }).id);
const code = (userId: string) => writeSql((sql) => createDeviceLink(sql, userId).token);
const find = (token: string) => readSql((sql) => findDeviceLink(sql, token));
const spend = (token: string) => writeSql((sql) => consumeDeviceLink(sql, token));

test("a code names its member and logs them in once", async () => {
  const ada = await user();
  const token = await code(ada);
  expect(await find(token)).toMatchObject({ userId: ada, firstName: "Ada" });
  expect(await spend(token)).toEqual({ userId: ada });
  expect(await find(token)).toBeNull();
  await expect(spend(token)).rejects.toMatchObject({ code: "conflict" });
});

test("of two uses at once one gets it", async () => {
  const ada = await user();
  const token = await code(ada);
  const all = await Promise.allSettled([1, 2, 3].map(() => spend(token)));
  expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
});

test("a code is worth nothing after a minute", async () => {
  setClock(nowMs());
  const token = await code(await user());
  setClock(nowMs() + 59 * SECOND_MS);
  expect(await find(token)).not.toBeNull();
  setClock(nowMs() + 1 * SECOND_MS);
  expect(await find(token)).toBeNull();
  await expect(spend(token)).rejects.toMatchObject({ code: "conflict" });
});

test("a new code voids the earlier ones of that member, and of nobody else", async () => {
  const [ada, bob] = [await user(), await user("Bob")];
  const [first, bobs] = [await code(ada), await code(bob)];
  const second = await code(ada);
  await expect(spend(first)).rejects.toMatchObject({ code: "conflict" });
  expect(await spend(second)).toEqual({ userId: ada });
  expect(await spend(bobs)).toEqual({ userId: bob });
});

test("a forged token logs nobody in, and neither does what the database holds", async () => {
  const token = await code(await user());
  const { tokenHash } = (await readSql((sql) =>
    sql.get<{ tokenHash: string }>(`SELECT "tokenHash" FROM "DeviceLink"`),
  ))!;
  expect(tokenHash).not.toContain(token);
  for (const forged of ["", tokenHash, `${token}x`, token.slice(1)])
    await expect(spend(forged)).rejects.toMatchObject({ code: "conflict" });
});

test("a session that a code began is no recent log-in", async () => {
  const ada = await user();
  const id = await writeSql((sql) => createSession(sql, ada).id);
  const member = () =>
    readSql((sql) => resolveViewer(sql, { sessionKey: hashSessionId(id), clientId: null }).member!);
  expect(isRecentLogin(await member())).toBe(true);
  await writeSql((sql) => markLoginNotRecent(sql, hashSessionId(id)));
  expect(isRecentLogin(await member())).toBe(false);
});
