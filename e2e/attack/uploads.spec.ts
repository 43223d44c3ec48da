// Attacks uploads: wrong size, incomplete, corrupt, another member's, or disguised as a recording.

import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { connect } from "node:net";
import { SUBMIT_CALL_ACTION, makeCallFields } from "#tests/support/attack/action-cases.ts";
import {
  makeSameOriginAction,
  parseActionResult,
} from "#tests/support/attack/server-action-request.ts";
import { listChangedTables, expect, test } from "#tests/support/attack/fixtures.ts";
import { makeJsonRequest } from "#tests/support/attack/handler-cases.ts";
import {
  SAME_ORIGIN_HEADERS,
  type AttackResponse,
  nextAddress,
  sendAttack,
} from "#tests/support/attack/attack-client.ts";
import { HOST } from "#tests/support/attack/attack-server.ts";
import { ATTACK_PORT } from "#tests/support/e2e/site-under-test.ts";
import { makeWav } from "#tests/support/attack/attack-fixture.ts";
import { PART_BYTES, sha256 } from "#tests/support/factories.ts";

const announceUpload = (cookie: string, announced: unknown) =>
  sendAttack({ method: "POST", ...makeJsonRequest("/calls/upload", announced), cookie });
const putPart = (
  cookie: string,
  id: string,
  number: number | string,
  body: Uint8Array,
  headers: Record<string, string | undefined> = {},
) =>
  sendAttack({
    method: "PUT",
    path: `/calls/upload/${id}/${number}`,
    body,
    cookie,
    headers: { ...SAME_ORIGIN_HEADERS, "content-type": "application/octet-stream", ...headers },
  });
const announce = (bytes: Uint8Array, id: string = randomUUID()) => ({
  id,
  size: bytes.length,
  sha256: sha256(bytes),
});

async function uploadAll(cookie: string, bytes: Uint8Array): Promise<string> {
  const announced = announce(bytes);
  expect((await announceUpload(cookie, announced)).status).toBe(200);
  for (let at = 0; at < bytes.length; at += PART_BYTES)
    expect(
      (await putPart(cookie, announced.id, at / PART_BYTES, bytes.subarray(at, at + PART_BYTES)))
        .status,
    ).toBe(204);
  return announced.id;
}

/** Sends a raw request. Returns its status, or null if the connection closes without one. */
function statusOf(
  head: string,
  pieces: readonly Uint8Array[],
  ms = 15_000,
): Promise<number | null> {
  return new Promise((resolve) => {
    let response = "";
    const socket = connect(ATTACK_PORT, "127.0.0.1");
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.on("data", (data) => {
      response += data.toString("latin1");
      if (/^HTTP\/1\.1 \d{3}/.test(response)) socket.end();
    });
    socket
      .on("error", () => {})
      .on("close", () => {
        clearTimeout(timer);
        const status = /^HTTP\/1\.1 (\d{3})/.exec(response)?.[1];
        resolve(status === undefined ? null : Number(status));
      });
    socket.write(head);
    for (const piece of pieces) socket.write(piece);
  });
}

const headOf = (method: string, path: string, cookie: string, more: string) =>
  `${method} ${path} HTTP/1.1\r\nHost: ${HOST}\r\nOrigin: https://${HOST}\r\nSec-Fetch-Site: same-origin\r\nfly-client-ip: ${nextAddress()}\r\nCookie: ${cookie}\r\ncontent-type: application/octet-stream\r\n${more}\r\n\r\n`;

test("an invalid upload announcement is refused", async ({
  insertFixture,
  hashTablesWhenIdle,
  site: { db },
}) => {
  const { owner, neighbor } = await insertFixture();
  db.prepare(`DELETE FROM "Upload" WHERE "userId" = ?`).run(owner.id);
  const good = announce(makeWav());
  const before = await hashTablesWhenIdle();
  const wrongs: Record<string, [unknown, number]> = {
    "100 MB": [{ ...good, size: 100 * 1_048_576 }, 413],
    "an absurd size": [{ ...good, size: Number.MAX_SAFE_INTEGER }, 413],
    "a size beyond numbers": [`{"id":"${good.id}","size":1e400,"sha256":"${good.sha256}"}`, 400],
    "no size": [{ ...good, size: undefined }, 400],
    "size 0": [{ ...good, size: 0 }, 400],
    "a negative size": [{ ...good, size: -1 }, 400],
    "a fractional size": [{ ...good, size: 0.5 }, 400],
    "a size as a string": [{ ...good, size: "8000" }, 400],
    "no hash": [{ ...good, sha256: "" }, 400],
    "a short hash": [{ ...good, sha256: good.sha256.slice(1) }, 400],
    "an id that is a path": [{ ...good, id: "../../etc/passwd" }, 400],
    "an id that is an object": [{ ...good, id: { $ne: "" } }, 400],
    "a prototype": [`{"__proto__":${JSON.stringify(good)}}`, 400],
    "an array": [[good], 400],
    "the id of another's upload": [{ ...good, id: neighbor.uploadId }, 409],
    "the complete announcement of another member": [
      {
        id: neighbor.emptyUploadId,
        size: neighbor.emptyUpload.size,
        sha256: neighbor.emptyUpload.sha256,
      },
      409,
    ],
    "an announcement of over 5 kB": [{ ...good, more: "x".repeat(5_000) }, 413],
  };
  for (const [what, [body, status]] of Object.entries(wrongs)) {
    const request = makeJsonRequest("/calls/upload", body);
    const response = await sendAttack({
      method: "POST",
      ...request,
      ...(typeof body === "string" && { body }),
      cookie: owner.cookie,
    });
    expect([what, response.status], response.text).toEqual([what, status]);
  }
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
});

test("an announcement can't name another owner", async ({ insertFixture, site: { db } }) => {
  const { owner, neighbor } = await insertFixture();
  db.prepare(`DELETE FROM "Upload" WHERE "userId" = ?`).run(owner.id);
  const announced = announce(makeWav());
  const body = { ...announced, userId: neighbor.id, member: { id: neighbor.id } };
  const request = makeJsonRequest("/calls/upload", body);
  expect((await sendAttack({ method: "POST", ...request, cookie: owner.cookie })).status).toBe(200);
  const ownerId = db.prepare(`SELECT "userId" FROM "Upload" WHERE "id" = ?`).pluck();
  expect(ownerId.get(announced.id)).toBe(owner.id);
});

test("a part must have a valid number and size, with or without Content-Length", async ({
  insertFixture,
  hashTablesWhenIdle,
  site: { db },
}) => {
  const { owner, neighbor, admin } = await insertFixture();
  db.prepare(`DELETE FROM "Upload" WHERE "userId" = ?`).run(owner.id);
  const bytes = makeWav(100); // 800 kB: two parts
  const announced = announce(bytes);
  expect((await announceUpload(owner.cookie, announced)).status).toBe(200);
  const before = await hashTablesWhenIdle();
  const first = bytes.subarray(0, PART_BYTES);
  const last = bytes.subarray(PART_BYTES);
  const tries: [string, () => Promise<AttackResponse>, readonly number[]][] = [
    ...[
      "-1",
      "2",
      "1000000000",
      "x",
      "1e0",
      "0x1",
      "01.0",
      "+1",
      "9007199254740993",
      "%31%20",
      "%00",
      "__proto__",
      "NaN",
    ].map((number): [string, () => Promise<AttackResponse>, number[]] => [
      `part ${number}`,
      () => putPart(owner.cookie, announced.id, number, first),
      [404, 400],
    ]),
    ["half a part", () => putPart(owner.cookie, announced.id, 0, first.subarray(0, 1_000)), [400]],
    ["an empty part", () => putPart(owner.cookie, announced.id, 0, new Uint8Array()), [400]],
    [
      "a byte too many",
      () => putPart(owner.cookie, announced.id, 0, Buffer.concat([first, Buffer.alloc(1)])),
      [413],
    ],
    [
      "a byte too few at the end",
      () => putPart(owner.cookie, announced.id, 1, last.subarray(1)),
      [400],
    ],
    [
      "a byte too many at the end",
      () => putPart(owner.cookie, announced.id, 1, Buffer.concat([last, Buffer.alloc(1)])),
      [413],
    ],
    [
      "ten times the size, chunked",
      () =>
        putPart(owner.cookie, announced.id, 0, Buffer.alloc(10 * PART_BYTES), {
          "transfer-encoding": "chunked",
        }),
      [413],
    ],
    [
      "a gzip bomb",
      () =>
        putPart(owner.cookie, announced.id, 0, gzipSync(Buffer.alloc(50 * PART_BYTES)), {
          "content-encoding": "gzip",
        }),
      [400, 413, 415],
    ],
    ["from another member", () => putPart(neighbor.cookie, announced.id, 0, first), [404]],
    ["from an admin", () => putPart(admin.cookie, announced.id, 0, first), [404]],
    ["from an anonymous visitor", () => putPart("a=b", announced.id, 0, first), [401]],
  ];
  for (const [what, attack, statuses] of tries) {
    const response = await attack().catch((error: unknown) => {
      // The server may close the connection while an oversized body is still being sent.
      if (["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? ""))
        return { status: 413, text: "" } as AttackResponse;
      throw error;
    });
    expect(statuses, `${what}: ${response.status} ${response.text.slice(0, 200)}`).toContain(
      response.status,
    );
  }
  const path = `/calls/upload/${announced.id}/0`;
  expect(
    await statusOf(headOf("PUT", path, owner.cookie, `content-length: ${PART_BYTES * 1_000}`), [
      first,
    ]),
    "a Content-Length of half a gigabyte",
  ).toBe(413);
  // A body that ends early is not stored as a part.
  const aborted = connect(ATTACK_PORT, "127.0.0.1");
  await new Promise<void>((resolve) => aborted.once("connect", resolve));
  aborted.write(headOf("PUT", path, owner.cookie, `content-length: ${PART_BYTES}`));
  await new Promise<void>((resolve) => aborted.write(first.subarray(0, 100_000), () => resolve()));
  aborted.destroy();
  expect(
    (
      await sendAttack({
        path: `/calls/upload/${announced.id}`,
        cookie: owner.cookie,
        headers: { accept: "application/json" },
      })
    ).text,
  ).toContain('"received":[]');
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
});

test("an incomplete, corrupt or foreign upload becomes no call", async ({
  insertFixture,
  hashTablesWhenIdle,
  site: { db },
}) => {
  const { owner, neighbor } = await insertFixture();
  db.prepare(`DELETE FROM "Upload" WHERE "userId" = ?`).run(owner.id);
  const damaged = announce(makeWav());
  await announceUpload(owner.cookie, {
    ...damaged,
    sha256: createHash("sha256").update("else").digest("hex"),
  });
  expect((await putPart(owner.cookie, damaged.id, 0, makeWav())).status).toBe(204);
  const missing = announce(makeWav());
  await announceUpload(owner.cookie, missing);
  const calls = () => db.prepare(`SELECT COUNT(*) FROM "Call"`).pluck().get();
  const before = calls();
  for (const [what, uploadId] of [
    ["damaged", damaged.id],
    ["missing parts", missing.id],
    ["a neighbor's", neighbor.uploadId],
    ["unknown", randomUUID()],
    ["SQL injection", '\'; DROP TABLE "Call"; --'],
  ] as const) {
    const { status, message } = await submit(owner.cookie, uploadId);
    expect([what, status], message).toEqual([what, "refused"]);
  }
  expect(calls()).toBe(before);
  expect((await hashTablesWhenIdle()).get("User")).toBeDefined();
  expect(
    db
      .prepare(`SELECT COUNT(*) FROM "UploadPart" WHERE "uploadId" = ?`)
      .pluck()
      .get(neighbor.uploadId),
  ).toBe(1);
});

/** Submits a call with this upload, like the form. */
async function submit(cookie: string, uploadId: string) {
  const response = await sendAttack({
    ...makeSameOriginAction("call", SUBMIT_CALL_ACTION, "/calls/record", makeCallFields(uploadId)),
    cookie,
  });
  expect(response.status, response.text.slice(0, 200)).toBeLessThan(500);
  return parseActionResult(response);
}

function box(name: string, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(8 + body.length);
  head.write(name, 4, "latin1");
  return Buffer.concat([head, body]);
}

test("a file that is no recording of at most two minutes becomes no call, whatever its header claims", async ({
  insertFixture,
  site: { db },
}) => {
  const { owner } = await insertFixture();
  db.prepare(`DELETE FROM "Upload" WHERE "userId" = ?`).run(owner.id);
  const video = readFileSync("tests/fixtures/audio/film.webm");
  const claimSeconds = (seconds: number, bytes: Buffer) => {
    const forged = Buffer.from(bytes);
    forged.writeUInt32LE(seconds * 8_000, 40); // the size of the data chunk
    return forged;
  };
  const wrongs: Record<string, Uint8Array> = {
    text: Buffer.from("This is no recording at all. ".repeat(100)),
    "HTML with the magic bytes of WebM": Buffer.concat([
      Buffer.from([0x1a, 0x45, 0xdf, 0xa3]),
      Buffer.from("<!doctype html><script>alert(document.domain)</script>".repeat(50)),
    ]),
    "HTML with the magic bytes of MP3": Buffer.concat([
      Buffer.from("ID3\u0004\u0000\u0000\u0000\u0000\u0000\u0000", "latin1"),
      Buffer.from("<!doctype html><script>alert(1)</script>".repeat(50)),
    ]),
    "HTML with the magic bytes of WAV": Buffer.concat([
      Buffer.from("RIFF\u00ff\u00ff\u0000\u0000WAVE", "latin1"),
      Buffer.from("<html><script>alert(1)</script></html>".repeat(50)),
    ]),
    SVG: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`.repeat(20)),
    "an ELF binary": Buffer.concat([Buffer.from("\u007fELF", "latin1"), Buffer.alloc(5_000, 1)]),
    "a ZIP": Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), Buffer.alloc(5_000)]),
    "a gzip bomb": gzipSync(Buffer.alloc(20_000_000)),
    "a video": video,
    zeros: Buffer.alloc(100_000),
    "one byte": Buffer.from([0x1a]),
    "half a header": makeWav().subarray(0, 30),
    "a header without audio": makeWav().subarray(0, 44),
    "a tenth of a second": makeWav(0.1),
    "122 seconds": makeWav(122),
    "a header that claims a minute before a tenth of a second": claimSeconds(60, makeWav(0.1)),
    "5,000 empty boxes": Buffer.concat([
      box("ftyp", Buffer.from("M4A \0\0\0\0M4A ", "latin1")),
      ...Array.from({ length: 5_000 }, () => box("free")),
    ]),
    "a box larger than 64 bits allow": Buffer.concat([
      box("ftyp", Buffer.from("M4A \0\0\0\0M4A ", "latin1")),
      Buffer.from("00000001", "hex"),
      Buffer.from("moov"),
      Buffer.alloc(8, 0xff),
      Buffer.alloc(2_000),
    ]),
    "400 nested boxes": Array.from({ length: 400 }).reduce<Buffer>(
      (inside) => box("moov", inside),
      Buffer.alloc(10),
    ),
  };
  const calls = () =>
    db.prepare(`SELECT COUNT(*) FROM "Call" WHERE "userId" = ?`).pluck().get(owner.id);
  const before = calls();
  for (const [what, bytes] of Object.entries(wrongs)) {
    const uploadId = await uploadAll(owner.cookie, bytes);
    const startedMs = Date.now();
    const { status, message } = await submit(owner.cookie, uploadId);
    expect([what, status], message).toEqual([what, "refused"]);
    expect(Date.now() - startedMs, `${what} takes long`).toBeLessThan(5_000);
  }
  expect(calls()).toBe(before);
  expect(
    (await submit(owner.cookie, await uploadAll(owner.cookie, makeWav(120)))).status,
    "two minutes",
  ).toBe("redirect");
});

test("a recording is served with its real type, to its owner and admins only, with safe ranges", async ({
  insertFixture,
  site: { db },
}) => {
  const { owner, neighbor, admin } = await insertFixture();
  // Migrated data: HTML stored as a recording.
  db.prepare(`UPDATE "Call" SET "base64" = ? WHERE "id" = ?`).run(
    `data:text/html;base64,${Buffer.from("<script>alert(document.domain)</script>").toString("base64")}`,
    owner.calls.REVIEWING,
  );
  const audioPath = `/calls/recording/${owner.calls.NEW}`;
  const htmlPath = `/calls/recording/${owner.calls.REVIEWING}`;
  for (const cookie of [owner.cookie, admin.cookie]) {
    const response = await sendAttack({ path: audioPath, cookie });
    expect([
      response.status,
      response.headers["content-type"],
      response.headers["x-content-type-options"],
      response.headers["cache-control"],
    ]).toEqual([200, "audio/wav", "nosniff", "private, no-store"]);
    expect(response.headers["content-security-policy"]).toContain("sandbox");
    const disguised = await sendAttack({ path: htmlPath, cookie });
    expect(disguised.headers["content-type"] ?? "", "HTML is not served as HTML").not.toMatch(
      /html|svg|xml/,
    );
    expect([disguised.headers["x-content-type-options"]]).toEqual(["nosniff"]);
  }
  for (const [reader, cookie] of [
    ["another member", neighbor.cookie],
    ["anonymous", undefined],
  ] as const) {
    for (const path of [
      audioPath,
      htmlPath,
      `${audioPath}?userId=${owner.id}`,
      `/calls/recording/${owner.calls.NEW.toUpperCase()}`,
      `/calls/recording/${owner.calls.NEW}/..%2f${owner.calls.NEW}`,
    ]) {
      const response = await sendAttack({ path, cookie, headers: { range: "bytes=0-10" } });
      expect([reader, path, [401, 404].includes(response.status)], String(response.status)).toEqual(
        [reader, path, true],
      );
      expect(response.bytes.subarray(0, 4).toString("latin1")).not.toBe("RIFF");
    }
  }
  const ranges = [
    "bytes=0-0",
    "bytes=-1",
    "bytes=0-99999999999999999999",
    "bytes=99999999999999999999-",
    "bytes=5-4",
    "bytes=-0",
    "bytes=0-1,2-3",
    `bytes=${"0-1,".repeat(2_000)}0-1`,
    "bytes=a-b",
    "bytes=0x0-1",
    "lines=0-1",
    "bytes=--1",
    "bytes= 0 - 1",
    "bytes",
  ];
  const size = (await sendAttack({ path: audioPath, cookie: owner.cookie })).bytes.length;
  for (const range of ranges) {
    const response = await sendAttack({
      path: audioPath,
      cookie: owner.cookie,
      headers: { range },
    });
    expect(
      [range.slice(0, 60), [200, 206, 416, 431].includes(response.status)],
      String(response.status),
    ).toEqual([range.slice(0, 60), true]);
    expect(response.bytes.length, range.slice(0, 60)).toBeLessThanOrEqual(size);
  }
});

test("concurrent uploads of the same parts are idempotent, and open uploads per member are limited", async ({
  insertFixture,
  site: { db },
}) => {
  const { owner } = await insertFixture();
  db.prepare(`DELETE FROM "Upload" WHERE "userId" = ?`).run(owner.id);
  const bytes = makeWav(100);
  const announced = announce(bytes);
  const announcements = await Promise.all(
    Array.from({ length: 6 }, () => announceUpload(owner.cookie, announced)),
  );
  expect(announcements.map(({ status }) => status)).toEqual(Array(6).fill(200));
  const sent = await Promise.all(
    [0, 1, 0, 1].map((number) =>
      putPart(
        owner.cookie,
        announced.id,
        number,
        bytes.subarray(number * PART_BYTES, (number + 1) * PART_BYTES),
      ),
    ),
  );
  expect(sent.map(({ status }) => status)).toEqual(Array(4).fill(204));
  const calls = await Promise.all(
    Array.from({ length: 6 }, () => submit(owner.cookie, announced.id)),
  );
  expect(calls.map(({ status }) => status)).toEqual(Array(6).fill("redirect"));
  expect(new Set(calls.map(({ location }) => location)).size, "six submissions, one call").toBe(1);

  const statuses: number[] = [];
  for (let i = 0; i < 5; i++)
    statuses.push((await announceUpload(owner.cookie, announce(makeWav()))).status);
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
});
