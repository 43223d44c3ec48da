import { AsyncLocalStorage } from "node:async_hooks";
import { afterEach, expect, test } from "vitest";
import { registerHtml, registeredHtmlAt } from "./static-html-registry.ts";
import { resetSingleton, singleton } from "#lib/core/singleton.ts";

interface Context {
  readonly request: { readonly headers: Record<string, string> };
}
const createRequestStorage = () =>
  singleton("request-context", () => new AsyncLocalStorage<Context>());

afterEach(() => {
  resetSingleton("request-context");
});

test("HTML is found in the request that registered it, and in no other", () => {
  const requests = createRequestStorage();
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

test("nothing is registered outside a request and for requests of data", () => {
  expect(registerHtml("<p>a</p>")).toBeNull();
  const requests = createRequestStorage();
  requests.run({ request: { headers: { rsc: "1" } } }, () =>
    expect(registerHtml("<p>a</p>")).toBeNull(),
  );
});
