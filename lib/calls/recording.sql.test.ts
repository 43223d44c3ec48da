import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { insertCall, insertUpload, insertUser } from "#tests/support/factories.ts";
import { read, write } from "#lib/db/database.ts";
import { findRecordedCallIds } from "./recording.sql.ts";

test("calls with an upload or a recording from the source site are recorded, typed ones are not", async () => {
  const { source, uploaded, typed, unlinked } = await write(async (tx) => {
    const { id: userId } = insertUser(tx);
    const insert = (base64: string) => insertCall(tx, { userId, base64 }).id;
    const [source, uploaded, typed, unlinked] = ["data:audio/webm;base64,AAAA", "", "", ""].map(
      insert,
    );
    for (const [callId, contentType] of [
      [uploaded!, "audio/webm"],
      [unlinked!, null],
    ] as const) {
      const id = insertUpload(tx, { userId, bytes: Uint8Array.of(1) });
      await tx.upload.update({ where: { id }, data: { callId, contentType } });
    }
    return { source, uploaded, typed, unlinked };
  });
  expect(
    await read((tx) =>
      findRecordedCallIds(tx, [source!, uploaded!, typed!, unlinked!, randomUUID(), "' OR 1=1"]),
    ),
  ).toEqual(new Set([source, uploaded]));
  expect(await read((tx) => findRecordedCallIds(tx, []))).toEqual(new Set());
});
