import { expect, test } from "vitest";
import { measureMemory } from "#tests/support/measure-memory.ts";
import { readBody } from "./read-body.ts";

const streamed = (chunks: number, size: number, onPull: (n: number) => void = () => {}) => {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      onPull(++sent);
      if (sent > chunks) controller.close();
      else controller.enqueue(new Uint8Array(size));
    },
  });
  return new Request("http://site/", { method: "POST", body, duplex: "half" } as RequestInit);
};

test("a body arrives byte for byte", async () => {
  expect(
    await readBody(
      new Request("http://site/", { method: "POST", body: new Uint8Array([0, 255, 10]) }),
      { maxBytes: 10 },
    ),
  ).toEqual(Buffer.from([0, 255, 10]));
  expect((await readBody(new Request("http://site/"), { maxBytes: 10 })).byteLength).toBe(0);
  expect((await readBody(streamed(5, 10), { maxBytes: 50 })).byteLength).toBe(50);
});

test("a body in chunks of one byte takes little more memory than its bytes", async () => {
  const count = 20_000;
  const before = measureMemory();
  let after = Infinity;
  const request = streamed(count, 1, (n) => {
    if (n === count) after = measureMemory();
  });
  expect((await readBody(request, { maxBytes: count })).byteLength).toBe(count);
  expect(after - before).toBeLessThan(2_000_000);
});

test("an announced body that is too large is not read", async () => {
  const request = new Request("http://site/", {
    method: "POST",
    body: "x",
    headers: { "content-length": "999999999" },
  });
  await expect(readBody(request, { maxBytes: 10 })).rejects.toMatchObject({ code: "too_large" });
});

test("an endless body is refused as soon as it is too large, and drained for two more megabytes", async () => {
  let pulled = 0;
  let canceled = false;
  const body = new ReadableStream<Uint8Array>({
    pull: (controller) => (pulled++, controller.enqueue(new Uint8Array(1_000))),
    cancel: () => void (canceled = true),
  });
  await expect(
    readBody(new Request("http://site/", { method: "POST", body, duplex: "half" } as RequestInit), {
      maxBytes: 10_000,
    }),
  ).rejects.toMatchObject({ code: "too_large" });
  expect(pulled).toBeLessThan(100);
  await expect.poll(() => canceled).toBe(true);
  expect(pulled).toBeGreaterThan(2_000);
  expect(pulled).toBeLessThan(2_200);
});

test("a body that is slightly too large is read to its end", async () => {
  let pulled = 0;
  await expect(
    readBody(
      streamed(100, 1_000, (n) => (pulled = n)),
      { maxBytes: 10_000 },
    ),
  ).rejects.toMatchObject({ code: "too_large" });
  await expect.poll(() => pulled).toBe(101);
});

test("a slow body times out, whether it stalls or trickles", async () => {
  let canceled = 0;
  const silent = new ReadableStream<Uint8Array>({
    cancel: () => (canceled++, new Promise(() => {})),
  });
  let timer: NodeJS.Timeout | undefined;
  const dripping = new ReadableStream<Uint8Array>({
    start: (controller) =>
      void (timer = setInterval(() => controller.enqueue(new Uint8Array(1)), 1)),
    cancel: () => (canceled++, clearInterval(timer)),
  });
  for (const body of [silent, dripping]) {
    const request = new Request("http://site/", {
      method: "POST",
      body,
      duplex: "half",
    } as RequestInit);
    await expect(readBody(request, { maxBytes: 1_000_000, timeoutMs: 30 })).rejects.toMatchObject({
      code: "timeout",
      message: "The body took too long.",
    });
  }
  expect(canceled).toBe(2);
});

test("a body that ends early is refused", async () => {
  const body = new ReadableStream({ start: (controller) => controller.error(new Error("gone")) });
  const request = new Request("http://site/", {
    method: "POST",
    body,
    duplex: "half",
  } as RequestInit);
  await expect(readBody(request, { maxBytes: 10 })).rejects.toMatchObject({
    code: "invalid",
    message: "The body ended early.",
  });
});
