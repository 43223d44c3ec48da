import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { MINUTE_MS, SECOND_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { isRecentLogin } from "#lib/members/member.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { read, write } from "#lib/db/database.ts";
import { resolveViewer } from "#lib/members/viewer.ts";
import { createSession } from "#lib/members/sessions.ts";
import {
  createDeviceLink,
  findDeviceLink,
  markLoginNotRecent,
  consumeDeviceLink,
} from "./device-link.ts";

const user = (firstName = "Ada") => write((tx) => insertUser(tx, { firstName }).id);
const code = (userId: string) => write(async (tx) => (await createDeviceLink(tx, userId)).token);
const find = (token: string) => read((tx) => findDeviceLink(tx, token));
const spend = (token: string) => write((tx) => consumeDeviceLink(tx, token));

test("a link names its member and logs in once", async () => {
  const ada = await user();
  const token = await code(ada);
  expect(await find(token)).toMatchObject({ userId: ada, firstName: "Ada" });
  expect(await spend(token)).toEqual({ userId: ada });
  expect(await find(token)).toBeNull();
  await expect(spend(token)).rejects.toMatchObject({ code: "conflict" });
});

test("only one of two concurrent uses succeeds", async () => {
  const ada = await user();
  const token = await code(ada);
  const all = await Promise.allSettled([1, 2, 3].map(() => spend(token)));
  expect(all.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "rejected"]);
});

test("a link expires after a minute", async () => {
  setClock(nowMs());
  const token = await code(await user());
  setClock(nowMs() + 50 * SECOND_MS);
  expect(await find(token)).not.toBeNull();
  setClock(nowMs() + 10 * SECOND_MS);
  expect(await find(token)).toBeNull();
  await expect(spend(token)).rejects.toMatchObject({ code: "conflict" });
});

test("a new link invalidates the member's previous one, and no other member's", async () => {
  const [ada, bob] = [await user(), await user("Bob")];
  const [first, bobs] = [await code(ada), await code(bob)];
  const second = await code(ada);
  await expect(spend(first)).rejects.toMatchObject({ code: "conflict" });
  expect(await spend(second)).toEqual({ userId: ada });
  expect(await spend(bobs)).toEqual({ userId: bob });
});

test("neither a forged token nor the stored hash logs in", async () => {
  const token = await code(await user());
  const { tokenHash } = await read((tx) => tx.deviceLink.findFirstOrThrow());
  expect(tokenHash).not.toContain(token);
  for (const forged of ["", tokenHash, `${token}x`, token.slice(1)])
    await expect(spend(forged)).rejects.toMatchObject({ code: "conflict" });
});

test("a login with a link does not count as recent", async () => {
  const ada = await user();
  const id = await write(async (tx) => (await createSession(tx, ada)).id);
  const member = () =>
    read(
      async (tx) =>
        (await resolveViewer(tx, { sessionKey: hashSecret(id), clientId: null })).member!,
    );
  expect(isRecentLogin(await member())).toBe(true);
  await write((tx) => markLoginNotRecent(tx, hashSecret(id)));
  const start = nowMs();
  for (const setBackMs of [0, SECOND_MS, 20 * MINUTE_MS]) {
    setClock(start - setBackMs);
    expect(isRecentLogin(await member())).toBe(false);
  }
});
