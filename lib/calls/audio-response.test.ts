import { type AddressInfo, connect } from "node:net";
import { once } from "node:events";
import { afterEach, expect, test, vi } from "vitest";
import { audioResponse } from "./audio-response.ts";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { createPipelineServer } from "#lib/http/pipeline.ts";
import { peekSingleton, resetSingleton } from "#lib/core/singleton.ts";

const streamState = () =>
  peekSingleton<{
    open: Map<string, { bytes: Uint8Array; refCount: number }>;
    whole: { acquiredCount: number };
    parts: { acquiredCount: number };
  }>("audio-streams")!;
afterEach(() => {
  // Many of these tests don't read the response.
  resetSingleton("audio-streams");
});

const bytes = Uint8Array.from({ length: 200_000 }, (_, i) => i % 251);
const ask = (
  headers: Record<string, string> = {},
  { method = "GET", filename = "A question.webm" } = {},
) =>
  audioResponse(new Request("http://localhost:3000/x", { method, headers }), {
    bytes,
    contentType: "audio/webm",
    filename,
    etag: "abc",
    cacheControl: "private, no-store",
  });
const bodyOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());
const headersOf = ({ headers }: Response, ...names: string[]) =>
  names.map((name) => headers.get(name));

test("a recording is sent with its type and is not cached", async () => {
  const response = ask();
  expect(response.status).toBe(200);
  expect(
    headersOf(
      response,
      "content-type",
      "content-length",
      "x-content-type-options",
      "cache-control",
      "accept-ranges",
      "etag",
      "content-range",
    ),
  ).toEqual(["audio/webm", "200000", "nosniff", "private, no-store", "bytes", '"abc"', null]);
  expect(Buffer.from(await bodyOf(response)).equals(Buffer.from(bytes))).toBe(true);
});

const ranges: [string, number, number][] = [
  ["bytes=0-", 0, 199_999],
  ["bytes=0-1", 0, 1],
  ["bytes=65535-131072", 65_535, 131_072],
  ["bytes=199999-", 199_999, 199_999],
  ["bytes=-5", 199_995, 199_999],
  ["bytes=100000-999999", 100_000, 199_999],
];
for (const [range, start, end] of ranges) {
  test(`${range} gets exactly those bytes`, async () => {
    const response = ask({ range });
    expect([response.status, ...headersOf(response, "content-range", "content-length")]).toEqual([
      206,
      `bytes ${start}-${end}/200000`,
      String(end - start + 1),
    ]);
    expect(
      Buffer.from(await bodyOf(response)).equals(Buffer.from(bytes.subarray(start, end + 1))),
    ).toBe(true);
  });
}

test("a range past the end gets a 416 with the size", async () => {
  const response = ask({ range: "bytes=200000-" });
  expect([response.status, ...headersOf(response, "content-range")]).toEqual([
    416,
    "bytes */200000",
  ]);
  expect((await bodyOf(response)).length).toBe(0);
});

test("multiple or invalid ranges get the whole file", async () => {
  for (const range of ["bytes=0-1,5-9", "lines=1-2", "bytes"])
    expect([range, ask({ range }).status]).toEqual([range, 200]);
});

test("If-Range gets a part only if its ETag matches", () => {
  expect(ask({ range: "bytes=0-1", "if-range": '"old"' }).status).toBe(200);
  expect(ask({ range: "bytes=0-1", "if-range": 'W/"abc"' }).status).toBe(200);
  expect(ask({ range: "bytes=0-1", "if-range": "Mon, 23 Nov 2026 00:00:00 GMT" }).status).toBe(200);
  expect(ask({ range: "bytes=0-1", "if-range": '"abc"' }).status).toBe(206);
});

test("If-None-Match with the ETag gets a 304", async () => {
  for (const tag of ['"abc"', 'W/"abc"', '"x", "abc"', "*"]) {
    const response = ask({ "if-none-match": tag });
    expect([tag, response.status, (await bodyOf(response)).length]).toEqual([tag, 304, 0]);
  }
  expect(ask({ "if-none-match": '"x"' }).status).toBe(200);
});

test("HEAD gets headers without a body", async () => {
  const response = ask({}, { method: "HEAD" });
  expect([response.status, ...headersOf(response, "content-length", "content-type")]).toEqual([
    200,
    "200000",
    "audio/webm",
  ]);
  expect((await bodyOf(response)).length).toBe(0);
});

const names: [string, string][] = [
  ["A question.webm", `inline; filename="A question.webm"; filename*=UTF-8''A%20question.webm`],
  [
    `"; filename="evil.exe.webm`,
    `inline; filename="_ filename= evil.exe.webm"; filename*=UTF-8''%3B%20filename%3D%20evil.exe.webm`,
  ],
  [
    "Café\r\nSet-Cookie: a=b.ogg",
    `inline; filename="Cafe Set-Cookie a=b.ogg"; filename*=UTF-8''Caf%C3%A9%20Set-Cookie%20a%3Db.ogg`,
  ],
  [
    "日本の質問.m4a",
    `inline; filename="_.m4a"; filename*=UTF-8''%E6%97%A5%E6%9C%AC%E3%81%AE%E8%B3%AA%E5%95%8F.m4a`,
  ],
  ["../../etc/passwd.mp3", `inline; filename="etc passwd.mp3"; filename*=UTF-8''etc%20passwd.mp3`],
  ["gpj.\u202eexe.mp3", `inline; filename="gpj. exe.mp3"; filename*=UTF-8''gpj.%20exe.mp3`],
  ["....mp3", `inline; filename="recording.mp3"; filename*=UTF-8''recording.mp3`],
  [
    "it's 100% (sure)!*.mp3",
    `inline; filename="it_s 100_ (sure)!.mp3"; filename*=UTF-8''it%27s%20100%25%20%28sure%29%21.mp3`,
  ],
  ["＂／＼.mp3", `inline; filename="___.mp3"; filename*=UTF-8''%EF%BC%82%EF%BC%8F%EF%BC%BC.mp3`],
  ["\ud800.mp3", `inline; filename="_.mp3"; filename*=UTF-8''%EF%BF%BD.mp3`],
];
for (const [filename, expected] of names) {
  test(`a file called ${JSON.stringify(filename)} gets a safe name`, () => {
    expect(ask({}, { filename }).headers.get("content-disposition")).toBe(expected);
  });
}

test("the default ETag is a hash of the bytes", () => {
  const made = (of: Uint8Array) =>
    audioResponse(new Request("http://localhost:3000/x"), {
      bytes: of,
      contentType: "audio/ogg",
      filename: "a.ogg",
      cacheControl: "no-store",
    }).headers.get("etag");
  expect(made(bytes)).toMatch(/^"[\w-]{27}"$/);
  expect(made(bytes)).toBe(made(bytes.slice()));
  expect(made(bytes)).not.toBe(made(bytes.subarray(1)));
});

test("an ETag from any text is a valid header, and matches", () => {
  for (const etag of ["звонок-1", '"quoted", twice', "😀", "a\r\nb", "*"]) {
    const respond = (headers: Record<string, string> = {}) =>
      audioResponse(new Request("http://localhost:3000/x", { method: "HEAD", headers }), {
        bytes,
        contentType: "audio/ogg",
        filename: "a.ogg",
        etag,
        cacheControl: "no-store",
      });
    const tag = respond().headers.get("etag")!;
    expect(tag).toMatch(/^"[!#-+\--~]+"$/);
    expect(respond({ "if-none-match": `"other", ${tag}` }).status).toBe(304);
    expect(respond({ "if-none-match": '"other"' }).status).toBe(200);
  }
});

test("an empty recording gets a 200", async () => {
  const response = audioResponse(new Request("http://localhost:3000/x"), {
    bytes: new Uint8Array(),
    contentType: "audio/ogg",
    filename: "a.ogg",
    cacheControl: "no-store",
  });
  expect([response.status, (await bodyOf(response)).length]).toEqual([200, 0]);
});

const long = (fill: number, size = 1_000_000) => new Uint8Array(size).fill(fill);
const listen = (bytes: Uint8Array, etag: string, headers: Record<string, string> = {}) =>
  audioResponse(new Request("http://localhost:3000/x", { headers }), {
    bytes,
    contentType: "audio/mpeg",
    filename: "a.mp3",
    etag,
    cacheControl: "no-store",
  });

test("concurrent responses share one buffer, and release it", async () => {
  const responses = Array.from({ length: 5 }, () => listen(long(7), "same"));
  expect([...streamState().open.values()].map(({ refCount }) => refCount)).toEqual([5]);
  expect(Buffer.from(await bodyOf(responses[4]!)).equals(long(7))).toBe(true);
  for (const { body } of responses.slice(0, 4)) await body!.cancel();
  expect([streamState().open.size, streamState().whole.acquiredCount]).toEqual([0, 0]);
});

test("a short range doesn't retain the whole file, nor does a chunk", async () => {
  // As the database returns it: slice() of a Buffer doesn't copy.
  const bytes = Buffer.from(long(3));
  const part = listen(bytes, "part", { range: "bytes=500000-500999" });
  expect([
    streamState().open.size,
    streamState().whole.acquiredCount,
    streamState().parts.acquiredCount,
  ]).toEqual([0, 0, 1]);
  const partReader = part.body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  expect((await partReader.read()).value!.buffer.byteLength).toBe(1_000);
  expect((await partReader.read()).done).toBe(true);
  expect(streamState().parts.acquiredCount).toBe(0);
  const reader = listen(
    bytes,
    "whole",
  ).body!.getReader() as ReadableStreamDefaultReader<Uint8Array>;
  expect((await reader.read()).value!.buffer.byteLength).toBe(65_536);
  await reader.cancel();
});

test("a client can stream 16 files at a time", async () => {
  const open = Array.from({ length: 16 }, () => listen(long(1), "a"));
  expect(() => listen(long(1), "a")).toThrow(
    expect.objectContaining({ code: "rate_limited", retryAfterSeconds: 30 }),
  );
  expect(listen(long(1), "a", { range: "bytes=0-1" }).status).toBe(206);
  await open[0]!.body!.cancel();
  expect(listen(long(1), "a").status).toBe(200);
});

test("streamed files are limited to 192 MB; another response for the same file is free", () => {
  for (let i = 0; i < 3; i++) expect(listen(long(1, 60_000_000), `large ${i}`).status).toBe(200);
  expect(() => listen(long(1, 13_000_000), "one more")).toThrow(
    expect.objectContaining({ code: "rate_limited" }),
  );
  expect(streamState().whole.acquiredCount).toBe(3);
  expect(listen(long(1, 60_000_000), "large 0").status).toBe(200);
});

test("a client that reads nothing for a minute is disconnected", async () => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
  try {
    const reader = listen(long(1), "a").body!.getReader();
    await reader.read();
    vi.advanceTimersByTime(MINUTE_MS);
    await expect(reader.read()).rejects.toThrow(/read nothing/);
    expect([streamState().open.size, streamState().whole.acquiredCount]).toEqual([0, 0]);
  } finally {
    vi.useRealTimers();
  }
});

test("every response has Content-Length, which Next drops from handlers", async () => {
  // Sends a handler's response like Next does in next/dist/server/send-response.js.
  const server = createPipelineServer((request, response) => {
    const { status, headers, body } = audioResponse(
      new Request("http://localhost:3000/x", {
        method: request.method,
        headers: request.headers as Record<string, string>,
      }),
      { bytes, contentType: "audio/mpeg", filename: "a.mp3", cacheControl: "no-store" },
    );
    response.statusCode = status;
    headers.forEach(
      (value, name) => void (name === "content-length" || response.appendHeader(name, value)),
    );
    response.flushHeaders();
    if (!body || request.method === "HEAD") return void response.end();
    void (async () => {
      for await (const piece of body) response.write(piece);
      response.end();
    })();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const head = async (method: string, more = "") => {
    const socket = connect(port, "127.0.0.1");
    socket.end(`${method} / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${more}\r\n`);
    let text = "";
    socket.setEncoding("latin1").on("data", (piece: string) => (text += piece));
    await once(socket, "close");
    const [top = ""] = text.split("\r\n\r\n");
    return [
      top.slice(9, 12),
      /^content-length: (\d+)/im.exec(top)?.[1],
      /^transfer-encoding/im.test(top),
      text.length - top.length - 4,
    ];
  };
  try {
    expect(await head("HEAD")).toEqual(["200", "200000", false, 0]);
    expect(await head("GET")).toEqual(["200", "200000", false, 200_000]);
    expect(await head("GET", "range: bytes=10-19\r\n")).toEqual(["206", "10", false, 10]);
    expect((await head("GET", "range: bytes=200000-\r\n")).slice(0, 1)).toEqual(["416"]);
  } finally {
    server.close();
  }
});
