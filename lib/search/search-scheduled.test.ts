import { afterEach, expect, test } from "vitest";
import { MINUTE_MS, setClock } from "#lib/core/clock.ts";
import type { Catalog } from "#lib/posts/catalog/catalog.ts";
import {
  makePostText,
  setUpContentSites,
  waitUntilCompiled,
} from "#tests/support/content-site-fixture.ts";
import { searchSite } from "./search-site.ts";

const sites = setUpContentSites();
afterEach(() => setClock(null));

async function find(catalog: Catalog, q: string): Promise<string[]> {
  const [index, pages] = await Promise.all([catalog.getIndex(), catalog.listPages()]);
  return (await searchSite({ index, pages, episodes: [] }, { q })).results.map(({ path }) => path);
}

test("a scheduled post and its words are found only once it is live", async () => {
  const liveAtMs = Date.parse("2031-05-05T08:00:00Z");
  sites.writeFile("blog/later.mdx", makePostText("Quagga", "2031-05-05T08:00:00Z", "Xylograph."));
  sites.writeFile("blog/now.mdx", makePostText("Now"));
  sites.writeFile("pages/about.mdx", makePostText("About us"));
  const catalog = await waitUntilCompiled(sites.createDiskSite());
  const queries = [
    "quagga",
    "quaga",
    "qua",
    "q",
    "xylograph",
    "xilograph",
    "later",
    "about quagga",
  ];
  setClock(liveAtMs - MINUTE_MS);
  await catalog.refresh();
  for (const q of queries) expect(await find(catalog, q), q).not.toContain("/blog/later");
  expect(await find(catalog, "about us")).toEqual(["/about"]);

  setClock(liveAtMs);
  await catalog.refresh();
  for (const q of ["quagga", "quaga", "xylograph"])
    expect(await find(catalog, q), q).toContain("/blog/later");
});
