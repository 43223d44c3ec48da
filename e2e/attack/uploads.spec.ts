// An attacker's suite, third part: recordings that are too large, too small, cut, mislabelled, somebody else's or no recordings at all.

import { createHash, randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { connect } from "node:net";
import { SUBMIT_CALL_ACTION, makeCallFields } from "#tests/support/attack/action-cases.ts";
import {
  makeActionRequest,
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
import { readBuiltActions } from "#tests/support/attack/build-manifest.ts";
import { HOST } from "#tests/support/attack/attack-server.ts";
import { ATTACK_PORT } from "#tests/support/e2e/site-under-test.ts";
import { makeWav } from "#tests/support/attack/attack-fixture.ts";
import { PART_BYTES, sha256 } from "#tests/support/factories.ts";

const begin = (cookie: string, announced: unknown) =>
  sendAttack({ method: "POST", ...makeJsonRequest("/calls/upload", announced), cookie });
const put = (
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

async function whole(cookie: string, bytes: Uint8Array): Promise<string> {
  const announced = announce(bytes);
  expect((await begin(cookie, announced)).status).toBe(200);
  for (let at = 0; at < bytes.length; at += PART_BYTES)
    expect(
      (await put(cookie, announced.id, at / PART_BYTES, bytes.subarray(at, at + PART_BYTES)))
        .status,
    ).toBe(204);
  return announced.id;
}

/** Writes a request by hand and reads its status; null when the connection was closed without one. */
function statusOf(
  head: string,
  pieces: readonly Uint8Array[],
  ms = 15_000,
): Promise<number | null> {
  return new Promise((resolve) => {
    let got = "";
    const socket = connect(ATTACK_PORT, "127.0.0.1");
    const timer = setTimeout(() => socket.destroy(), ms);
    socket.on("data", (data) => {
      got += data.toString("latin1");
      if (/^HTTP\/1\.1 \d{3}/.test(got)) socket.end();
    });
    socket
      .on("error", () => {})
      .on("close", () => {
        clearTimeout(timer);
        const status = /^HTTP\/1\.1 (\d{3})/.exec(got)?.[1];
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
    "two minutes and much more": [{ ...good, size: 100 * 1_048_576 }, 413],
    "an absurd size": [{ ...good, size: Number.MAX_SAFE_INTEGER }, 413],
    "a size beyond numbers": [`{"id":"${good.id}","size":1e400,"sha256":"${good.sha256}"}`, 400],
    "no size": [{ ...good, size: undefined }, 400],
    nothing: [{ ...good, size: 0 }, 400],
    "less than nothing": [{ ...good, size: -1 }, 400],
    "half a byte": [{ ...good, size: 0.5 }, 400],
    "a size in words": [{ ...good, size: "8000" }, 400],
    "no hash": [{ ...good, sha256: "" }, 400],
    "a short hash": [{ ...good, sha256: good.sha256.slice(1) }, 400],
    "an id that is a path": [{ ...good, id: "../../etc/passwd" }, 400],
    "an id that is an object": [{ ...good, id: { $ne: "" } }, 400],
    "an owner": [{ ...good, userId: neighbor.id }, 400],
    "a prototype": [`{"__proto__":${JSON.stringify(good)}}`, 400],
    "an array": [[good], 400],
    "the id of another's upload": [{ ...good, id: neighbor.uploadId }, 409],
    "the very upload of another": [
      {
        id: neighbor.emptyUploadId,
        size: neighbor.emptyUpload.size,
        sha256: neighbor.emptyUpload.sha256,
      },
      409,
    ],
    "more than fits": [{ ...good, more: "x".repeat(5_000) }, 413],
  };
  for (const [what, [body, status]] of Object.entries(wrongs)) {
    const request = makeJsonRequest("/calls/upload", body);
    const got = await sendAttack({
      method: "POST",
      ...request,
      ...(typeof body === "string" && { body }),
      cookie: owner.cookie,
    });
    expect([what, got.status], got.text).toEqual([what, status]);
  }
  expect(listChangedTables(before, await hashTablesWhenIdle())).toEqual([]);
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
  expect((await begin(owner.cookie, announced)).status).toBe(200);
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
      () => put(owner.cookie, announced.id, number, first),
      [404, 400],
    ]),
    ["half a part", () => put(owner.cookie, announced.id, 0, first.subarray(0, 1_000)), [400]],
    ["an empty part", () => put(owner.cookie, announced.id, 0, new Uint8Array()), [400]],
    [
      "a byte too many",
      () => put(owner.cookie, announced.id, 0, Buffer.concat([first, Buffer.alloc(1)])),
      [413],
    ],
    [
      "a byte too few at the end",
      () => put(owner.cookie, announced.id, 1, last.subarray(1)),
      [400],
    ],
    [
      "a byte too many at the end",
      () => put(owner.cookie, announced.id, 1, Buffer.concat([last, Buffer.alloc(1)])),
      [413],
    ],
    [
      "ten times too much, without saying so",
      () =>
        put(owner.cookie, announced.id, 0, Buffer.alloc(10 * PART_BYTES), {
          "transfer-encoding": "chunked",
        }),
      [413],
    ],
    [
      "a bomb",
      () =>
        put(owner.cookie, announced.id, 0, gzipSync(Buffer.alloc(50 * PART_BYTES)), {
          "content-encoding": "gzip",
        }),
      [400, 413, 415],
    ],
    ["a neighbor's hand", () => put(neighbor.cookie, announced.id, 0, first), [404]],
    ["an admin's hand", () => put(admin.cookie, announced.id, 0, first), [404]],
    ["nobody's hand", () => put("a=b", announced.id, 0, first), [401]],
  ];
  for (const [what, attack, statuses] of tries) {
    const got = await attack().catch((error: unknown) => {
      // Refused before it was sent to its end: the connection is closed on it.
      if (["ECONNRESET", "EPIPE"].includes((error as NodeJS.ErrnoException).code ?? ""))
        return { status: 413, text: "" } as AttackResponse;
      throw error;
    });
    expect(statuses, `${what}: ${got.status} ${got.text.slice(0, 200)}`).toContain(got.status);
  }
  const path = `/calls/upload/${announced.id}/0`;
  expect(
    await statusOf(headOf("PUT", path, owner.cookie, `content-length: ${PART_BYTES * 1_000}`), [
      first,
    ]),
    "half a gigabyte that is only announced",
  ).toBe(413);
  // A body that ends early: what came is not a part.
  const early = connect(ATTACK_PORT, "127.0.0.1");
  await new Promise<void>((resolve) => early.once("connect", resolve));
  early.write(headOf("PUT", path, owner.cookie, `content-length: ${PART_BYTES}`));
  await new Promise<void>((resolve) => early.write(first.subarray(0, 100_000), () => resolve()));
  early.destroy();
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
  await begin(owner.cookie, {
    ...damaged,
    sha256: createHash("sha256").update("else").digest("hex"),
  });
  expect((await put(owner.cookie, damaged.id, 0, makeWav())).status).toBe(204);
  const missing = announce(makeWav());
  await begin(owner.cookie, missing);
  const calls = () => db.prepare(`SELECT COUNT(*) FROM "Call"`).pluck().get();
  const before = calls();
  for (const [what, uploadId] of [
    ["damaged", damaged.id],
    ["missing parts", missing.id],
    ["a neighbor's", neighbor.uploadId],
    ["nobody's", randomUUID()],
    ["no id", '\'; DROP TABLE "Call"; --'],
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

/** Submits a call with this upload, as its form does. */
async function submit(cookie: string, uploadId: string) {
  const id = readBuiltActions().find(({ name }) => name === SUBMIT_CALL_ACTION)?.id ?? "";
  const request = makeActionRequest("call", id, "/calls/record", makeCallFields(uploadId));
  const got = await sendAttack({
    ...request,
    cookie,
    headers: { ...request.headers, ...SAME_ORIGIN_HEADERS },
  });
  expect(got.status, got.text.slice(0, 200)).toBeLessThan(500);
  return parseActionResult(got);
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
  const film = readFileSync("tests/fixtures/audio/film.webm");
  const claims = (seconds: number, bytes: Buffer) => {
    const lying = Buffer.from(bytes);
    lying.writeUInt32LE(seconds * 8_000, 40); // the size of the data that its head claims
    return lying;
  };
  const wrongs: Record<string, Uint8Array> = {
    text: Buffer.from("This is no recording at all. ".repeat(100)),
    "a page that begins as WebM": Buffer.concat([
      Buffer.from([0x1a, 0x45, 0xdf, 0xa3]),
      Buffer.from("<!doctype html><script>alert(document.domain)</script>".repeat(50)),
    ]),
    "a page that says it is MP3": Buffer.concat([
      Buffer.from("ID3\u0004\u0000\u0000\u0000\u0000\u0000\u0000", "latin1"),
      Buffer.from("<!doctype html><script>alert(1)</script>".repeat(50)),
    ]),
    "a page that says it is WAV": Buffer.concat([
      Buffer.from("RIFF\u00ff\u00ff\u0000\u0000WAVE", "latin1"),
      Buffer.from("<html><script>alert(1)</script></html>".repeat(50)),
    ]),
    SVG: Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`.repeat(20)),
    "a program": Buffer.concat([Buffer.from("\u007fELF", "latin1"), Buffer.alloc(5_000, 1)]),
    "a ZIP": Buffer.concat([Buffer.from("PK\u0003\u0004", "latin1"), Buffer.alloc(5_000)]),
    "a bomb": gzipSync(Buffer.alloc(20_000_000)),
    "a film": film,
    zeros: Buffer.alloc(100_000),
    "one byte": Buffer.from([0x1a]),
    "half a head": makeWav().subarray(0, 30),
    "a head without sound": makeWav().subarray(0, 44),
    "a moment": makeWav(0.1),
    "122 seconds": makeWav(122),
    "a head that claims a minute and brings a moment": claims(60, makeWav(0.1)),
    "boxes that go on forever": Buffer.concat([
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
    "boxes in boxes": Array.from({ length: 400 }).reduce<Buffer>(
      (inside) => box("moov", inside),
      Buffer.alloc(10),
    ),
  };
  const calls = () =>
    db.prepare(`SELECT COUNT(*) FROM "Call" WHERE "userId" = ?`).pluck().get(owner.id);
  const before = calls();
  for (const [what, bytes] of Object.entries(wrongs)) {
    const uploadId = await whole(owner.cookie, bytes);
    const beganMs = Date.now();
    const { status, message } = await submit(owner.cookie, uploadId);
    expect([what, status], message).toEqual([what, "refused"]);
    expect(Date.now() - beganMs, `${what} takes long`).toBeLessThan(5_000);
  }
  expect(calls()).toBe(before);
  expect(
    (await submit(owner.cookie, await whole(owner.cookie, makeWav(120)))).status,
    "two minutes",
  ).toBe("redirect");
});

test("a recording is served with its real type, to its owner and admins only, with safe ranges", async ({
  insertFixture,
  site: { db },
}) => {
  const { owner, neighbor, admin } = await insertFixture();
  // Moved in from elsewhere: markup under the name of a recording.
  db.prepare(`UPDATE "Call" SET "base64" = ? WHERE "id" = ?`).run(
    `data:text/html;base64,${Buffer.from("<script>alert(document.domain)</script>").toString("base64")}`,
    owner.calls.REVIEWING,
  );
  const sound = `/calls/recording/${owner.calls.NEW}`;
  const text = `/calls/recording/${owner.calls.REVIEWING}`;
  for (const cookie of [owner.cookie, admin.cookie]) {
    const got = await sendAttack({ path: sound, cookie });
    expect([
      got.status,
      got.headers["content-type"],
      got.headers["x-content-type-options"],
      got.headers["cache-control"],
    ]).toEqual([200, "audio/wav", "nosniff", "private, no-store"]);
    expect(got.headers["content-security-policy"]).toContain("sandbox");
    const disguised = await sendAttack({ path: text, cookie });
    expect(disguised.headers["content-type"] ?? "", "markup is not served as markup").not.toMatch(
      /html|svg|xml/,
    );
    expect([disguised.headers["x-content-type-options"]]).toEqual(["nosniff"]);
  }
  for (const [reader, cookie] of [
    ["a neighbor", neighbor.cookie],
    ["nobody", undefined],
  ] as const) {
    for (const path of [
      sound,
      text,
      `${sound}?userId=${owner.id}`,
      `/calls/recording/${owner.calls.NEW.toUpperCase()}`,
      `/calls/recording/${owner.calls.NEW}/..%2f${owner.calls.NEW}`,
    ]) {
      const got = await sendAttack({ path, cookie, headers: { range: "bytes=0-10" } });
      expect([reader, path, [401, 404].includes(got.status)], String(got.status)).toEqual([
        reader,
        path,
        true,
      ]);
      expect(got.bytes.subarray(0, 4).toString("latin1")).not.toBe("RIFF");
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
  const size = (await sendAttack({ path: sound, cookie: owner.cookie })).bytes.length;
  for (const range of ranges) {
    const got = await sendAttack({ path: sound, cookie: owner.cookie, headers: { range } });
    expect([range.slice(0, 60), [200, 206, 416].includes(got.status)], String(got.status)).toEqual([
      range.slice(0, 60),
      true,
    ]);
    expect(got.bytes.length, range.slice(0, 60)).toBeLessThanOrEqual(size);
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
  const begun = await Promise.all(Array.from({ length: 6 }, () => begin(owner.cookie, announced)));
  expect(begun.map(({ status }) => status)).toEqual(Array(6).fill(200));
  const sent = await Promise.all(
    [0, 1, 0, 1].map((number) =>
      put(
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
  expect(new Set(calls.map(({ location }) => location)).size, "six times sent, one call").toBe(1);

  const statuses: number[] = [];
  for (let i = 0; i < 5; i++)
    statuses.push((await begin(owner.cookie, announce(makeWav()))).status);
  expect(statuses).toEqual([200, 200, 200, 429, 429]);
});
