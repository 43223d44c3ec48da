import { hostname } from "node:os";
import { expect, test } from "vitest";
import { getInstance } from "#app/admin/cache/instances.ts";
import { parseCursor, buildHref, lastValue } from "./search-params.ts";

test("only a number is a cursor", () => {
  expect(
    ["7", ["1", "8"], "", "-1", "1e3", "1 OR 1=1", "9".repeat(16), undefined].map(parseCursor),
  ).toEqual([7, 8, null, null, null, null, null, null]);
});

test("buildHref encodes parameters and omits empty ones", () => {
  expect(buildHref("/admin/users", { q: "a&b=ä", before: 7, said: null, more: "" })).toBe(
    "/admin/users?q=a%26b%3D%C3%A4&before=7",
  );
  expect(buildHref("/admin/users", { q: "" })).toBe("/admin/users");
  expect(lastValue(["a", "b".repeat(3_000)])).toHaveLength(2_000);
});

test("an unknown instance is ignored", async () => {
  expect(await getInstance("")).toMatchObject({ name: hostname(), peer: null });
  expect((await getInstance(hostname())).peer).toBeNull();
  for (const name of ["other", `${hostname()}\r\nx: y`, "__proto__"])
    await expect(getInstance(name)).rejects.toMatchObject({ code: "not_found" });
});
