import { expect, test } from "vitest";
import { textPageMetadata } from "#app/(text)/render-text-page.tsx";
import { setUpContentSites, makePostText } from "#tests/support/content-site-fixture.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { stopCatalog } from "#lib/posts/catalog/site-catalog.ts";
import { GET } from "./route.ts";

const sites = setUpContentSites();
const ask = (params: { slug: string } | undefined) =>
  GET(new Request("http://localhost:3000/blog/x.md"), { params: Promise.resolve(params) });

test("a path without params, or with a name of Object.prototype, is a 404", async () => {
  sites.writeFile("blog/a.mdx", makePostText("A"));
  overrideEnv({ CONTENT_DIR: sites.dir });
  try {
    expect((await ask({ slug: "a" })).status).toBe(200);
    for (const params of [
      undefined,
      { slug: "[slug]" },
      { slug: "constructor" },
      { slug: "__proto__" },
    ])
      expect([params, (await ask(params)).status]).toEqual([params, 404]);
  } finally {
    overrideEnv({ CONTENT_DIR: undefined });
    await stopCatalog();
  }
});

test("a post may be called constructor", async () => {
  sites.writeFile("blog/constructor.mdx", makePostText("Constructor"));
  overrideEnv({ CONTENT_DIR: sites.dir });
  try {
    const response = await ask({ slug: "constructor" });
    expect([response.status, await response.text()]).toEqual([
      200,
      expect.stringContaining("Text of Constructor."),
    ]);
  } finally {
    overrideEnv({ CONTENT_DIR: undefined });
    await stopCatalog();
  }
});

test("search engines index neither the Markdown of a draft nor an unlisted page", async () => {
  sites.writeFile("blog/draft.mdx", makePostText("Draft").replace("title:", "draft: true\ntitle:"));
  sites.writeFile("pages/u.mdx", makePostText("U").replace("title:", "unlisted: true\ntitle:"));
  sites.writeFile("pages/listed.mdx", makePostText("Listed"));
  overrideEnv({ CONTENT_DIR: sites.dir });
  try {
    expect((await ask({ slug: "draft" })).headers.get("x-robots-tag")).toBe("noindex");
    expect((await textPageMetadata("u")).robots).toEqual({ index: false, follow: false });
    expect((await textPageMetadata("listed")).robots).toBeUndefined();
  } finally {
    overrideEnv({ CONTENT_DIR: undefined });
    await stopCatalog();
  }
});
