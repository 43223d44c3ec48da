import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, expect, test } from "vitest";
import { registerHtml, registeredHtmlAt } from "./static-html-registry.ts";

interface Context {
  readonly request: { readonly headers: Record<string, string> };
}
const shared = globalThis as { __lecternRequests?: AsyncLocalStorage<Context> };

afterEach(() => {
  delete shared.__lecternRequests;
});

test("a text is found again in the request that kept it, and in no other", () => {
  const requests = (shared.__lecternRequests = new AsyncLocalStorage<Context>());
  const one: Context = { request: { headers: {} } };
  requests.run(one, () =>
    expect([registerHtml("<p>a</p>"), registerHtml("<p>b</p>")]).toEqual([0, 1]),
  );
  requests.run(one, () =>
    expect([registeredHtmlAt(0), registeredHtmlAt(1), registeredHtmlAt(2)]).toEqual([
      "<p>a</p>",
      "<p>b</p>",
      "",
    ]),
  );
  requests.run({ request: { headers: {} } }, () => expect(registeredHtmlAt(0)).toBe(""));
});

test("nothing is kept where no document is written: outside a request, and when only data is asked for", () => {
  expect(registerHtml("<p>a</p>")).toBeNull();
  const requests = (shared.__lecternRequests = new AsyncLocalStorage<Context>());
  requests.run({ request: { headers: { rsc: "1" } } }, () =>
    expect(registerHtml("<p>a</p>")).toBeNull(),
  );
});
