import { expect, test, vi } from "vitest";
import { setUpContentSites } from "#tests/support/content-site-fixture.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import * as feedFormats from "#lib/posts/feeds/feed-formats.ts";
import { stopCatalog } from "#lib/posts/catalog/site-catalog.ts";
import { GET } from "./route.ts";

const sites = setUpContentSites();
const ask = async (topic: string) => {
  const url = "http://localhost:3000/blog/topics/x/feed.xml";
  const response = await GET(new Request(url), { params: Promise.resolve({ topic }) });
  return { status: response.status, body: await response.text() };
};

test("however a topic is spelled, its feed is rendered and cached once", async () => {
  const post = (topic: string) =>
    `---\ntitle: About ${topic}\ndate: 2026-11-01\ndescription: x\ncategories: ["${topic}"]\n---\n\nText.\n`;
  sites.writeFile("blog/a.mdx", post("Remote work"));
  sites.writeFile("blog/b.mdx", post("Birds"));
  overrideEnv({ CONTENT_DIR: sites.dir });
  const render = vi.spyOn(feedFormats, "renderRssFeed");
  try {
    const spellings = [
      "remote-work",
      "REMOTE-work",
      "%72emote-work",
      "remote-work%20%20",
      "\tremote-work",
    ];
    const feeds = await Promise.all(spellings.map(ask));
    expect(new Set(feeds.map(({ status, body }) => `${status} ${body}`)).size).toBe(1);
    expect(feeds[0]!.body).toContain("About Remote work");
    expect(render).toHaveBeenCalledTimes(1);
    expect((await ask("birds")).body).toContain("About Birds");
    for (const unknown of ["", "__proto__", "constructor", "work"])
      expect([unknown, (await ask(unknown)).status]).toEqual([unknown, 404]);
    expect(render).toHaveBeenCalledTimes(2);
  } finally {
    render.mockRestore();
    overrideEnv({ CONTENT_DIR: undefined });
    await stopCatalog();
  }
});
