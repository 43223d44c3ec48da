import { expect, test } from "vitest";
import { MINUTE_MS } from "#lib/core/clock.ts";
import { seededRandom } from "#tests/support/random.ts";
import { RENEWAL_MS, VISIT_GAP_MS, previousVisitMs, renewVisitCookie } from "./last-visit.ts";

const NOW = Date.parse("2026-11-29T10:00:00Z");

/** Views a page at `ms`, as a browser with the cookie `value`. */
const view = (value: string | undefined, ms: number) => ({
  previousMs: previousVisitMs(value, ms),
  value: renewVisitCookie(value, ms)?.value ?? value,
});

test("the first visit has no previous one, and a pause starts a new visit", () => {
  const first = view(undefined, NOW);
  expect(first.previousMs).toBeNull();
  const same = view(first.value, NOW + 20 * MINUTE_MS);
  expect(same.previousMs).toBeNull();
  const second = view(same.value, NOW + 20 * MINUTE_MS + VISIT_GAP_MS);
  expect(second.previousMs).toBe(NOW + 20 * MINUTE_MS);
  // Every page of the second visit compares with the first.
  const later = view(second.value, NOW + 40 * MINUTE_MS + VISIT_GAP_MS);
  expect(later.previousMs).toBe(NOW + 20 * MINUTE_MS);
});

test("the cookie is set at most once in five minutes", () => {
  const { value } = renewVisitCookie(undefined, NOW)!;
  expect(renewVisitCookie(value, NOW + RENEWAL_MS - 1)).toBeNull();
  expect(renewVisitCookie(value, NOW + RENEWAL_MS)).not.toBeNull();
});

test("for random page views, the end of the previous visit is accurate to five minutes", () => {
  const random = seededRandom(5);
  let value: string | undefined;
  let ms = NOW;
  /** The last view of each visit, at least VISIT_GAP_MS before the next. */
  let lastView: number | null = null;
  let lastOfPreviousVisit: number | null = null;
  for (let i = 0; i < 2_000; i++) {
    ms += Math.floor(random() ** 3 * 90) * MINUTE_MS;
    const page = view(value, ms);
    const gap = lastView === null ? 0 : ms - lastView;
    // Whether a pause of 30 to 35 minutes is one depends on when the cookie was last set.
    if (gap >= VISIT_GAP_MS + RENEWAL_MS) lastOfPreviousVisit = lastView;
    else if (gap >= VISIT_GAP_MS - RENEWAL_MS) lastOfPreviousVisit = page.previousMs;
    if (page.previousMs !== null && lastOfPreviousVisit !== null)
      expect(Math.abs(page.previousMs - lastOfPreviousVisit)).toBeLessThanOrEqual(RENEWAL_MS);
    expect(page.previousMs ?? 0).toBeLessThanOrEqual(ms);
    lastView = ms;
    value = page.value;
  }
});

test("an invalid cookie, or one from the future, is ignored and replaced", () => {
  for (const value of ["", "x", "1", "-1.5", "1.2.3", `0.${NOW + 1}`, "9".repeat(99)]) {
    expect(view(value, NOW).previousMs, value).toBeNull();
    expect(renewVisitCookie(value, NOW)?.value, value).toBe(`0.${NOW}`);
  }
});
