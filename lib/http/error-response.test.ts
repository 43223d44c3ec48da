import { expect, test } from "vitest";
import { AppError } from "#lib/core/errors.ts";
import { withErrorResponse } from "./error-response.ts";

const asking = (accept?: string) => ({ headers: new Headers(accept ? { accept } : {}) });
const refuse = (error: unknown, accept?: string) =>
  withErrorResponse(asking(accept), () => Promise.reject(error as Error));

test("a handler's response passes unchanged", async () => {
  const response = new Response("yes", { status: 206 });
  expect(await withErrorResponse(asking(), async () => response)).toBe(response);
});

test("for HEAD, the body is canceled, so that what it holds is released", async () => {
  let isCanceled = false;
  const body = new ReadableStream({ cancel: () => void (isCanceled = true) });
  const init = { status: 206, headers: { "content-length": "9" } };
  const response = await withErrorResponse({ ...asking(), method: "HEAD" }, () =>
    Promise.resolve(new Response(body, init)),
  );
  expect([isCanceled, response.body, response.status]).toEqual([true, null, 206]);
  expect(response.headers.get("content-length")).toBe("9");
});

test("an AppError is plain text, or JSON if Accept names it", async () => {
  const error = new AppError("too_large", "At most 5 MB.", { field: "size" });
  const plain = await refuse(error, "text/html,*/*");
  expect([plain.status, plain.headers.get("content-type"), await plain.text()]).toEqual([
    413,
    "text/plain; charset=utf-8",
    "At most 5 MB.\n",
  ]);
  const json = await refuse(error, "application/json");
  expect([json.status, await json.json()]).toEqual([
    413,
    { code: "too_large", message: "At most 5 MB.", field: "size" },
  ]);
  for (const response of [plain, json])
    expect(response.headers.get("cache-control")).toBe("no-store");
});

test("Retry-After is in seconds", async () => {
  expect(
    (await refuse(new AppError("rate_limited", "Later.", { retryAfterSeconds: 7 }))).headers.get(
      "retry-after",
    ),
  ).toBe("7");
  expect((await refuse(new AppError("conflict", "No."))).headers.get("retry-after")).toBeNull();
});

test("other errors and replays are rethrown", async () => {
  const fault = new TypeError("broken");
  await expect(refuse(fault)).rejects.toBe(fault);
  const replay = Object.assign(new Error("replay"), { digest: "REPLAY" });
  await expect(refuse(replay, "application/json")).rejects.toBe(replay);
});
