// Checks when a member's place is sent.

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createPlaceReporter } from "./report-place.ts";

let sent: (string | null)[];

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 });
  sent = [];
  vi.stubGlobal("navigator", {
    sendBeacon: (_: string, body: string) =>
      sent.push((JSON.parse(body) as { heading: string | null }).heading),
  });
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a section is sent after five seconds, the next one when the server accepts it", () => {
  const { report } = createPlaceReporter("post");
  report("one");
  vi.advanceTimersByTime(5_000);
  report("two");
  vi.advanceTimersByTime(31_000);
  expect(sent).toEqual(["one"]);
  vi.advanceTimersByTime(1_000);
  expect(sent).toEqual(["one", "two"]);
});

test("hiding the page too early for another section only delays it", () => {
  const { report, send } = createPlaceReporter("post");
  report("one");
  vi.advanceTimersByTime(5_000);
  report("two");
  vi.advanceTimersByTime(3_000);
  send();
  expect(sent).toEqual(["one"]);
  vi.advanceTimersByTime(30_000);
  expect(sent).toEqual(["one", "two"]);
});
