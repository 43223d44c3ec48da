import { expect, test } from "vitest";
import { isPageView } from "./page-view.ts";

const view = (method: string, headers: Record<string, string>) =>
  isPageView(method, (name) => headers[name]);

test("a page view is a GET for HTML that is not a prefetch", () => {
  const accept = "text/html,application/xhtml+xml,*/*;q=0.8";
  expect(view("GET", { accept })).toBe(true);
  expect(view("HEAD", { accept })).toBe(false);
  expect(view("GET", { accept: "application/json" })).toBe(false);
  expect(view("GET", { accept, "sec-purpose": "prefetch" })).toBe(false);
  expect(view("GET", { accept, "sec-purpose": "prefetch;anonymous-client-ip" })).toBe(false);
});
