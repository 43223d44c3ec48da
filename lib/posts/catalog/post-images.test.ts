import { rmSync } from "node:fs";
import sharp from "sharp";
import { expect, test } from "vitest";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { closeImageProcess } from "#lib/posts/images/run-image-job.ts";
import type { Catalog } from "./catalog.ts";
import {
  makePostText,
  setUpContentSites,
  waitUntilCompiled,
} from "#tests/support/content-site-fixture.ts";

const sites = setUpContentSites();
const png = (background: string) =>
  sharp({ create: { width: 40, height: 20, channels: 3, background } })
    .png()
    .toBuffer();
const withImages = (...paths: string[]) =>
  makePostText("A", "2026-11-21", paths.map((path) => `![x](${path})`).join("\n\n"));

test("images next to the post, elsewhere in the content and in public are shown", async () => {
  const [red, green, blue] = await Promise.all(["#f00", "#0f0", "#00f"].map(png));
  sites.writeFile("blog/a/My Photo (1).PNG", red!);
  sites.writeFile("blog/shared/b.png", green!);
  sites.writeFile("public/images/c.png", blue!);
  sites.writeFile(
    "blog/a/index.mdx",
    withImages("<My Photo (1).PNG>", "../shared/b.png", "/images/c.png"),
  );
  sites.writeFile(
    "blog/2026/loose.mdx",
    withImages("./../shared/b.png", "../a/My%20Photo%20(1).PNG"),
  );
  sites.writeFile("blog/loose.mdx", withImages("./shared/b.png", "shared/b.png"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  expect(site.getStatus().warnings).toEqual([]);
  const { compiled } = (await site.findPostBySlug("a"))!;
  const shas = [...new Set(compiled.compiledSource.match(/\/_img\/[0-9a-f]{40}(?=-40\.webp)/g))];
  expect(shas).toHaveLength(3);
  const files = await Promise.all(
    shas.map((path) => site.findImageFile(path.slice("/_img/".length))),
  );
  expect(files.map((file) => file!.url.replace(/\?.*/, "")).sort()).toEqual([
    "/content-file/blog/a/My%20Photo%20(1).PNG",
    "/content-file/blog/shared/b.png",
    "/images/c.png",
  ]);
});

test("an image that a killed process could not measure is measured again after an hour, even after a restart", async () => {
  sites.writeFile("blog/a/x.png", await png("#123"));
  sites.writeFile("blog/a/index.mdx", withImages("x.png"));
  const findImageForm = async (site: Catalog) => {
    const { compiled } = (await site.findPostBySlug("a"))!;
    return compiled.compiledSource.includes("-40.webp") ? "resized" : "unchanged";
  };
  const first = sites.createDiskSite();
  const kills = setInterval(closeImageProcess);
  await waitUntilCompiled(first);
  clearInterval(kills);
  expect(await findImageForm(first)).toBe("unchanged");
  expect(first.getStatus().warnings).toEqual([expect.stringMatching(/The image process ended/)]);
  const oldKey = first.getKey();
  setClock(nowMs() + 61 * MINUTE_MS);
  await first.refresh();
  expect(await findImageForm(first)).toBe("resized");
  expect(first.getKey()).not.toBe(oldKey);
  expect(await findImageForm(await waitUntilCompiled(sites.createDiskSite()))).toBe("resized");
});

test("missing and broken images are warnings with line and name, and the post is shown", async () => {
  sites.writeFile("blog/a/text.png", "text");
  sites.writeFile("blog/a/unused.png", "");
  sites.writeFile(
    "blog/a/index.mdx",
    withImages("./gone.png", "text.png", "/gone.png").replace(
      "---\n\n",
      "banner: ./no.png\n---\n\n",
    ),
  );
  const site = await waitUntilCompiled(sites.createDiskSite());
  await site.refresh();
  expect(site.getStatus().failures).toEqual([]);
  expect(site.getStatus().warnings).toEqual([
    expect.stringMatching(/^blog\/a\/index\.mdx:10: \.\/text\.png: it can't be read as an image: /),
    "blog/a/index.mdx:5: the banner ./no.png is not part of this site",
    "blog/a/index.mdx:8: the image ./gone.png is not part of this site",
    "blog/a/index.mdx:12: the image /gone.png is not part of this site",
    "blog/a/unused.png:1: it can't be read as an image: it is empty",
  ]);
  const post = (await site.findPostBySlug("a"))!;
  expect(post.hero).toBeUndefined();
  expect(post.compiled.compiledSource).toContain("missing-image");
});

test("an image's id in the front matter gets the prefix of the owner's image host", async () => {
  sites.imageRewrites = [
    { from: "/media/", to: "https://cdn.example/ada/" },
    { from: "/unsplash/", to: "https://photos.example/" },
  ];
  const withBanner = (banner: string) =>
    makePostText("A").replace("---\n\n", `banner: ${banner}\n---\n\n`);
  sites.writeFile("blog/id.mdx", withBanner("posts/door_v2"));
  sites.writeFile("blog/prefix.mdx", withBanner("unsplash/photo-1"));
  sites.writeFile("blog/path.mdx", withBanner("/media/posts/door.jpg"));
  sites.writeFile("blog/file.mdx", withBanner("gone.png"));
  sites.writeFile("blog/remote.mdx", withBanner("https://old.example/a.png"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  const hero = async (slug: string) => (await site.findPostBySlug(slug))!.hero?.src;
  expect(await hero("id")).toBe("https://cdn.example/ada/posts/door_v2");
  expect(await hero("prefix")).toBe("https://photos.example/photo-1");
  expect(await hero("path")).toBe("https://cdn.example/ada/posts/door.jpg");
  expect(await hero("file")).toBeUndefined();
  expect(site.getStatus().warnings).toEqual([
    "blog/file.mdx:5: the banner ./gone.png is not part of this site",
    "blog/remote.mdx:5: the banner https://old.example/a.png is not shown: its host old.example is not among images.hosts of site.config.ts",
  ]);
});

test("an image that was added or replaced later is shown without a change of the post", async () => {
  sites.writeFile("blog/a/index.mdx", withImages("./a.png", "/images/b.png"));
  const site = await waitUntilCompiled(sites.createDiskSite());
  expect(site.getStatus().warnings).toHaveLength(2);
  sites.writeFile("blog/a/a.png", await png("#f00"));
  sites.writeFile("public/images/b.png", await png("#0f0"));
  await site.refresh();
  expect(site.getStatus().warnings).toEqual([]);
  sites.writeFile("public/images/b.png", await png("#00ff01"));
  const before = (await site.findPostBySlug("a"))!.compiled.compiledSource;
  await site.refresh();
  expect((await site.findPostBySlug("a"))!.compiled.compiledSource).not.toBe(before);
  rmSync(`${sites.dir}/public`, { recursive: true });
  await site.refresh();
  expect(site.getStatus().warnings).toEqual([
    "blog/a/index.mdx:9: the image /images/b.png is not part of this site",
  ]);
});
