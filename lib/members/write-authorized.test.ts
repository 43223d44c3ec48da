import { afterEach, expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { insertUser } from "#tests/support/factories.ts";
import { HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { type ErrorCode, isAppError } from "#lib/core/errors.ts";
import { hashSecret } from "#lib/core/secret.ts";
import { read, write } from "#lib/db/database.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { createSession } from "#lib/members/sessions.ts";
import { type RequiredRole, requireViewer, writeAuthorized } from "./write-authorized.ts";

const NOW = Date.parse("2026-11-25T10:00:00Z");
const NOBODY: SessionIds = { sessionKey: null, clientId: null };

afterEach(() => overrideEnv({ REPLICATION: undefined }));

/** Inserts a member with a session and its device. */
const begin = (role = "MEMBER") =>
  write(async (tx) => {
    const user = insertUser(tx, { role });
    const { id } = await createSession(tx, user.id, { device: "Firefox on Linux", place: null });
    return { user, sessionIds: { sessionKey: hashSecret(id), clientId: null } as SessionIds };
  });
const codeOf = (work: Promise<unknown>): Promise<ErrorCode | "done"> =>
  work.then(
    () => "done" as const,
    (error: unknown) => (isAppError(error) ? error.code : Promise.reject(error as Error)),
  );
const rename = (sessionIds: SessionIds, role: RequiredRole, isRecentLogin = false) =>
  codeOf(
    writeAuthorized(sessionIds, { role, isRecentLogin }, (tx) =>
      tx.user.updateMany({ data: { firstName: "Eve" } }),
    ),
  );
const names = () =>
  read(async (tx) => (await tx.user.findMany()).map(({ firstName }) => firstName));
const seen = () =>
  read(async (tx) => (await tx.sessionInfo.findFirstOrThrow()).lastSeenAt.getTime());

test("each role can write what it is allowed to, and nothing else", async () => {
  const member = await begin();
  const admin = await begin("ADMIN");
  expect(await rename(NOBODY, "member")).toBe("unauthorized");
  expect(await rename(NOBODY, "admin")).toBe("unauthorized");
  expect(await rename({ sessionKey: "0".repeat(64), clientId: "x" }, "member")).toBe(
    "unauthorized",
  );
  expect(await rename(member.sessionIds, "admin")).toBe("forbidden");
  expect(await names()).toEqual(["Ada", "Ada"]);
  expect(await rename(NOBODY, "anyone")).toBe("done");
  expect(await rename(member.sessionIds, "member")).toBe("done");
  expect(await rename(admin.sessionIds, "member")).toBe("done");
  expect(await rename(admin.sessionIds, "admin")).toBe("done");
});

test("the ID in the cookie is not the key of its row", async () => {
  const { user } = await begin();
  const { id } = await write((tx) => createSession(tx, user.id));
  expect(await rename({ sessionKey: id, clientId: null }, "member")).toBe("unauthorized");
});

test("a login is recent for less than fifteen minutes, even an admin's", async () => {
  setClock(NOW);
  const { sessionIds } = await begin("ADMIN");
  setClock(NOW + 14 * MINUTE_MS);
  expect(await rename(sessionIds, "admin", true)).toBe("done");
  setClock(NOW + 16 * MINUTE_MS);
  expect(await rename(sessionIds, "admin", true)).toBe("unauthorized");
  expect(await rename(sessionIds, "admin")).toBe("done");
  const error = await read((tx) =>
    requireViewer(tx, sessionIds, { role: "admin", isRecentLogin: true }),
  ).catch((each: unknown) => each);
  expect(error).toMatchObject({ field: "login" });
});

test("an expired session or a revoked role counts immediately", async () => {
  const { user, sessionIds } = await begin("ADMIN");
  await write((tx) => tx.user.updateMany({ where: { id: user.id }, data: { role: "MEMBER" } }));
  expect(await rename(sessionIds, "admin")).toBe("forbidden");
  await write((tx) => tx.session.updateMany({ data: { expirationDate: new Date(nowMs()) } }));
  expect(await rename(sessionIds, "member")).toBe("unauthorized");
  expect(await names()).toEqual(["Ada"]);
});

test("last seen is written with other writes, at most once an hour", async () => {
  setClock(NOW);
  const { sessionIds } = await begin();
  setClock(NOW + 59 * MINUTE_MS);
  await rename(sessionIds, "member");
  expect(await seen()).toBeLessThan(NOW + MINUTE_MS);
  setClock(NOW + HOUR_MS + MINUTE_MS);
  await rename(sessionIds, "member");
  expect(await seen()).toBeGreaterThanOrEqual(NOW + HOUR_MS + MINUTE_MS);
});

test("an error in the transaction rolls everything back, even last seen", async () => {
  setClock(NOW);
  const { sessionIds } = await begin();
  setClock(NOW + 2 * HOUR_MS);
  const failing = writeAuthorized(sessionIds, { role: "member" }, async (tx) => {
    await tx.user.updateMany({ data: { firstName: "Eve" } });
    throw new TypeError("broken");
  });
  await expect(failing).rejects.toThrow("broken");
  expect(await names()).toEqual(["Ada"]);
  expect(await seen()).toBeLessThan(NOW + MINUTE_MS);
});

test("without a primary every write is refused", async () => {
  const { sessionIds } = await begin("ADMIN");
  overrideEnv({ REPLICATION: "on" });
  expect(await rename(sessionIds, "admin")).toBe("unavailable");
  expect(await rename(NOBODY, "member")).toBe("unavailable");
});
