import { afterEach, expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { env } from "#lib/core/env.ts";
import {
  INTERNAL_HEADER,
  isInternalRequest,
  signInternalRequest,
} from "#lib/core/internal-request-signature.ts";
import { isValidSignature, signText } from "#lib/core/signature.ts";
import { write } from "#lib/db/database.ts";
import { findOutdatedReaderId, signReaderId, unsignReaderId } from "#lib/reading/reader-id.ts";
import { forgetUnsealedCookies, sealSessionCookie, unsealSession } from "./cookies.ts";
import { renewSession } from "./renew-session.ts";
import { createSession } from "./sessions.ts";

const OLD = "old-old-old-old-old-old-old-old-old-old";
const NEW = "new-new-new-new-new-new-new-new-new-new";
const before = env.SESSION_SECRET;
afterEach(() => overrideEnv({ SESSION_SECRET: before, ACCEPTED_SESSION_SECRETS: undefined }));

/** Restarts the site with these secrets. */
function restart(current: string, accepted?: string): void {
  overrideEnv({ SESSION_SECRET: current, ACCEPTED_SESSION_SECRETS: accepted });
  forgetUnsealedCookies();
}
const announceNew = () => restart(OLD, NEW);
const replace = () => restart(NEW, OLD);
const finish = () => restart(NEW);

test("a member stays logged in while the secret is replaced, and after it is gone", async () => {
  restart(OLD);
  const session = await write((tx) => createSession(tx, insertUser(tx).id));
  const { value } = await sealSessionCookie(session);
  announceNew();
  expect(await renewSession(value)).toBeNull();
  replace();
  expect(await unsealSession(value)).toMatchObject({ id: session.id });
  const resealed = await renewSession(value);
  expect(await renewSession(resealed!.value)).toBeNull();
  finish();
  expect(await unsealSession(resealed!.value)).toMatchObject({ id: session.id });
});

test("a cookie that was not used in the meantime is refused once the old secret is gone", async () => {
  restart(OLD);
  const { value } = await sealSessionCookie(
    await write((tx) => createSession(tx, insertUser(tx).id)),
  );
  finish();
  expect(await unsealSession(value)).toBeNull();
  expect(isValidSignature("purpose", "text", "x".repeat(43))).toBe(false);
});

test("an anonymous reader keeps their ID, which is signed again", () => {
  restart(OLD);
  const value = signReaderId("reader-1");
  expect(findOutdatedReaderId(value)).toBeNull();
  replace();
  expect(unsignReaderId(value)).toBe("reader-1");
  expect(findOutdatedReaderId(value)).toBe("reader-1");
  expect(findOutdatedReaderId(signReaderId("reader-1"))).toBeNull();
  finish();
  expect(unsignReaderId(value)).toBeNull();
});

test("during the deploy, instances with the old and the new secret accept each other", () => {
  const request = () => new Headers({ [INTERNAL_HEADER]: signInternalRequest("status") });
  announceNew();
  const fromOld = request();
  const oldSignature = signText("dwell", "text");
  replace();
  const fromNew = request();
  const newSignature = signText("dwell", "text");
  expect(isInternalRequest(fromOld, "status")).toBe(true);
  expect(isValidSignature("dwell", "text", oldSignature)).toBe(true);
  announceNew();
  expect(isInternalRequest(fromNew, "status")).toBe(true);
  expect(isValidSignature("dwell", "text", newSignature)).toBe(true);
  restart(OLD);
  expect(isInternalRequest(fromNew, "status")).toBe(false);
});
