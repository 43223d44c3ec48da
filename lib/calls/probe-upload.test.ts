import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { insertUser } from "#tests/support/factories.ts";
import { nowMs } from "#lib/core/clock.ts";
import type { Member } from "#lib/members/member.ts";
import { read, write } from "#lib/db/database.ts";
import { prepareAnswer } from "./probe-upload.ts";
import { createUpload, findUpload, putPart } from "./upload.ts";

async function person(role: string): Promise<Member> {
  return write((tx) => ({
    ...insertUser(tx, { role }),
    sessionKey: "key",
    loggedInAtMs: nowMs(),
  }));
}

async function uploaded(member: Member, bytes: Uint8Array, { whole = true } = {}): Promise<string> {
  const id = randomUUID();
  await write(async (tx) => {
    await createUpload(tx, {
      id,
      size: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
      member,
    });
    if (whole) await putPart(tx, { id, member, number: 0, bytes });
  });
  return id;
}
const tone = readFileSync("tests/fixtures/audio/tone.m4a");

test("an admin's upload becomes an answer with its detected type", async () => {
  const by = await person("ADMIN");
  const answer = await prepareAnswer({ uploadId: await uploaded(by, tone), admin: by });
  expect(answer.contentType).toBe("audio/mp4");
  expect(answer.durationMs).toBeGreaterThan(500);
  expect(Buffer.from(answer.audio).equals(tone)).toBe(true);
});

test("a member can't prepare an answer", async () => {
  const by = await person("MEMBER");
  await expect(
    prepareAnswer({ uploadId: await uploaded(by, tone), admin: by }),
  ).rejects.toMatchObject({
    code: "forbidden",
  });
});

test("another admin's upload is not found, an incomplete one is a conflict", async () => {
  const [by, other] = [await person("ADMIN"), await person("ADMIN")];
  await expect(
    prepareAnswer({ uploadId: await uploaded(other, tone), admin: by }),
  ).rejects.toMatchObject({
    code: "not_found",
    field: "audio",
  });
  await expect(
    prepareAnswer({ uploadId: await uploaded(by, tone, { whole: false }), admin: by }),
  ).rejects.toMatchObject({ code: "conflict", field: "audio" });
});

test("a file that isn't audio is rejected and deleted", async () => {
  const by = await person("ADMIN");
  const uploadId = await uploaded(by, Buffer.from("<html>not a sound</html>"));
  await expect(prepareAnswer({ uploadId, admin: by })).rejects.toMatchObject({
    code: "invalid",
    field: "audio",
  });
  expect(await read((tx) => findUpload(tx, { id: uploadId, member: by }))).toBeNull();
});
