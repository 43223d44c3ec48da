import { beforeEach, expect, test } from "vitest";
import { POST } from "./route.ts";
import { deleteEntryPayload } from "#lib/cache/inspect-cache.ts";
import { MINUTE_MS, setClock } from "#lib/core/clock.ts";
import { signInternalRequest } from "#lib/core/internal-request-signature.ts";
import { readEntry, writeEntry } from "#lib/cache/cache-file.ts";
import { currentInstance } from "#lib/core/instance.ts";

const KEY = "site.compiled:1:abc";

beforeEach(() =>
  writeEntry(KEY, {
    metadata: JSON.stringify({ createdTime: Date.now(), ttl: null }),
    value: '"x"',
  }),
);

function call(about: string | null, body: unknown = { key: KEY }): Promise<Response> {
  return POST(
    new Request("http://x/internal/cache", {
      method: "POST",
      body: typeof body === "string" ? body : JSON.stringify(body),
      headers: {
        accept: "application/json",
        ...(about !== null && { "x-lectern-internal": signInternalRequest(about) }),
      },
    }),
  );
}
const signed = deleteEntryPayload(currentInstance(), KEY);

test("the primary's call deletes the entry, and says when it is gone already", async () => {
  const deleted = await call(signed);
  expect([deleted.status, await deleted.json(), readEntry(KEY)]).toEqual([
    200,
    { deleted: true },
    undefined,
  ]);
  expect(await (await call(signed)).json()).toEqual({ deleted: false });
});

test("without a signature about this key on this instance nothing is deleted, and nothing is there", async () => {
  const others = [
    null,
    "",
    "status",
    deleteEntryPayload(currentInstance(), "another key"),
    deleteEntryPayload("another-instance", KEY),
  ];
  for (const about of others) expect((await call(about)).status, String(about)).toBe(404);
  for (const body of [
    "",
    "{",
    "null",
    "[]",
    { key: "" },
    { key: 1 },
    { key: ["x"] },
    { key: "x".repeat(20_000) },
  ])
    expect((await call(signed, body)).status).toBe(404);
  expect((await call(signed, "x".repeat(70_000))).status).toBe(413);
  expect(readEntry(KEY)).toBeDefined();
});

test("a call that was overheard is worth nothing two minutes later", async () => {
  const header = signInternalRequest(signed);
  setClock(Date.now() + 2 * MINUTE_MS);
  const late = await POST(
    new Request("http://x/internal/cache", {
      method: "POST",
      body: JSON.stringify({ key: KEY }),
      headers: { "x-lectern-internal": header },
    }),
  );
  expect([late.status, readEntry(KEY) !== undefined]).toEqual([404, true]);
});
