import { fromHtml } from "hast-util-from-html";
import { expect, test } from "vitest";
import { isElement, replaceNodes, type Element, type Root } from "#lib/posts/mdx/mdx-tree.ts";
import { compileText, htmlFrom } from "#tests/support/compile-text.ts";
import { isAllowedHost } from "#lib/posts/images/external-image.ts";

/** Returns the first element of that name, as parsed by a browser. */
function select(html: string, name: string): Element | undefined {
  let element: Element | undefined;
  replaceNodes(fromHtml(html, { fragment: true }) as unknown as Root, (node) => {
    if (isElement(node, name)) element ??= node;
    return undefined;
  });
  return element;
}

const images = {
  "./a b.png": {
    src: "/_img/a.png",
    width: 800,
    height: 400,
    blur: "data:image/png;base64,AAAA",
    sources: [{ type: "image/avif", srcset: "/_img/a-400.avif 400w, /_img/a-800.avif 800w" }],
  },
  "/images/c.svg": { src: "/images/c.svg", width: 10, height: 10 },
};

test("a local image is a picture with sizes, dimensions and a placeholder", async () => {
  expect(await htmlFrom("![A cat](<./a b.png>)", { images })).toBe(
    '<p><picture><source type="image/avif" srcset="/_img/a-400.avif 400w, /_img/a-800.avif 800w" sizes="(min-width: 48rem) 44rem, 100vw">' +
      '<img src="/_img/a.png" alt="A cat" loading="lazy" decoding="async" width="800" height="400" style="background:url(data:image/png;base64,AAAA) center/cover no-repeat"></picture></p>',
  );
});

test("an image without other formats is an img", async () => {
  expect(await htmlFrom("![](/images/c.svg)", { images })).toBe(
    '<p><img src="/images/c.svg" alt="" loading="lazy" decoding="async" width="10" height="10"></p>',
  );
});

test("an image inside a link stays inside it", async () => {
  expect(await htmlFrom("[![C](/images/c.svg)](https://x.example)", { images })).toMatch(
    /^<p><a href="https:\/\/x\.example" rel="noopener"><img src="\/images\/c\.svg"[^>]*><\/a><\/p>$/,
  );
});

test("a titled image alone in a paragraph is a figure with a caption", async () => {
  const html = await htmlFrom('![C](/images/c.svg "Drawn <here>")', { images });
  expect(html).toMatch(
    /^<figure><img [^>]*><figcaption>Drawn &#x3C;here><\/figcaption><\/figure>$/,
  );
  expect(html).not.toContain("title=");
});

test("<Image/> of next/image is an image with its width and height", async () => {
  const html = await htmlFrom(
    'import Image from "next/image"\n\n<Image src="./a%20b.png" alt="A" width={400} height={200} priority quality={80} />',
    { images },
  );
  expect(html).toContain('alt="A" width="400" height="200"');
  expect(html).not.toMatch(/priority|quality/);
});

test("a remote image of an allowed host is shown without a referrer", async () => {
  expect(await htmlFrom("![R](https://img.x.example/r.png)", { imageHosts: ["*.x.example"] })).toBe(
    '<p><img src="https://img.x.example/r.png" alt="R" loading="lazy" decoding="async" class="remote-image" referrerpolicy="no-referrer"></p>',
  );
});

test("a remote image of another host is a link, with a warning", async () => {
  const post = await compileText("Text\n\n![R](https://evil.example/r.png)\n", {
    imageHosts: ["x.example"],
  });
  expect(post.compiledSource).toContain(
    '<a href=\\"https://evil.example/r.png\\" class=\\"image-link\\" rel=\\"noopener\\">R</a>',
  );
  expect(post.warnings[0]).toMatch(
    /^blog\/test\.mdx:3: .*evil\.example is not among images\.hosts of site\.config\.ts$/,
  );
});

test("a forbidden remote image inside a link does not nest links", async () => {
  expect(await htmlFrom("[![R](https://evil.example/r.png)](https://x.example)")).toBe(
    '<p><a href="https://x.example" rel="noopener">R</a></p>',
  );
});

test.each([
  ["a.example", ["a.example"], true],
  ["A.example", ["a.example"], true],
  ["b.a.example", ["a.example"], false],
  ["b.a.example", ["*.a.example"], true],
  ["a.example", ["*.a.example"], false],
  ["evila.example", ["*.a.example"], false],
  ["a.example", ["*"], true],
  ["", ["*"], false],
])("host %j among %j: %s", (host, patterns, allowed) => {
  expect(isAllowedHost(host, patterns)).toBe(allowed);
});

test("a missing image is a warning, and its text is shown", async () => {
  const post = await compileText("![Alt](./gone.png)");
  expect(post.warnings).toEqual(["blog/test.mdx:1: the image ./gone.png is not part of this site"]);
  expect(post.compiledSource).toContain(
    '<span class=\\"missing-image\\" role=\\"img\\" aria-label=\\"Alt\\">Alt</span>',
  );
});

test("an image name is not looked up on the prototype", async () => {
  expect((await compileText("![x](constructor)", { images })).warnings).toHaveLength(1);
});

test("alt and title are escaped", async () => {
  const html = await htmlFrom(
    `![" onerror="alert(1)](/images/c.svg '"><script>alert(2)</script>') and text`,
    { images },
  );
  const image = select(html, "img");
  expect(select(html, "script")).toBeUndefined();
  expect(Object.keys(image!.properties)).toEqual([
    "src",
    "alt",
    "title",
    "loading",
    "decoding",
    "width",
    "height",
  ]);
});

test("a placeholder that is not a base64 image is omitted", async () => {
  const html = await htmlFrom("![](/x.png)", {
    images: { "/x.png": { src: "/x.png", width: 1, height: 1, blur: "data:image/png);color:red" } },
  });
  expect(html).not.toContain("style");
});

const imageRewrites = [
  { from: "/media/", to: "https://cdn.example/", query: "w={width}&q={quality}" },
  { from: "/files/", to: "https://files.example/" },
];

test("an image below a rewritten prefix comes from its host in several sizes", async () => {
  const html = await htmlFrom("![A](/media/a%20b.jpg)", { imageRewrites });
  expect(select(html, "img")!.properties).toMatchObject({
    src: "https://cdn.example/a%20b.jpg?w=960&q=75",
    srcSet:
      "https://cdn.example/a%20b.jpg?w=480&q=75 480w, https://cdn.example/a%20b.jpg?w=960&q=75 960w, https://cdn.example/a%20b.jpg?w=1600&q=75 1600w",
    sizes: "(min-width: 48rem) 44rem, 100vw",
    className: ["remote-image", "unsized-image"],
    loading: "lazy",
    decoding: "async",
    referrerPolicy: "no-referrer",
  });
});

test("a rewrite without parameters gives one size, and a local file comes first", async () => {
  const html = await htmlFrom("![A](/files/a.png)", { imageRewrites });
  expect(html).toContain('src="https://files.example/a.png"');
  expect(html).not.toContain("srcset");
  expect(html).not.toContain("unsized-image");
  const local = { ...images, "/files/a.png": { src: "/files/a.png", width: 1, height: 1 } };
  expect(await htmlFrom("![A](/files/a.png)", { imageRewrites, images: local })).toContain(
    'src="/files/a.png"',
  );
});

test("a path is found however it is written", async () => {
  const shared = { "../shared/é a.png": { src: "/s.png", width: 1, height: 1 } };
  for (const path of ["../shared/%C3%A9%20a.png", "../x/../shared/e\u0301%20a.png#top"])
    expect(await htmlFrom(`![A](${path})`, { images: shared }), path).toContain('src="/s.png"');
});

test("the files of a picture's formats, of a srcset and of captions are found", async () => {
  const images = Object.fromEntries(
    ["dark.png", "dark@2.png", "light.png", "a.vtt"].map((name) => [
      `./${name}`,
      { src: `/content-file/${name}` },
    ]),
  );
  const html = await htmlFrom(
    '<picture><source srcset="./dark.png 1x,dark%402.png 2x" media="(prefers-color-scheme: dark)"><img src="light.png" srcset="dark.png, https://x.example/a,b.png 2x" alt=""></picture>\n\n<video src="https://x.example/a.mp4"><track src="./a.vtt"></video>\n',
    { images },
  );
  expect(html).toContain('srcset="/content-file/dark.png 1x, /content-file/dark@2.png 2x"');
  expect(html).toContain('srcset="/content-file/dark.png, https://x.example/a,b.png 2x"');
  expect(html).toContain('<track src="/content-file/a.vtt">');
});

test("a missing file of a srcset is a warning", async () => {
  const post = await compileText(
    '\n<picture><source srcset="./a.png 2x"><img src="/b.png"></picture>',
  );
  expect(post.warnings).toContain("blog/test.mdx:2: the file ./a.png is not part of this site");
});

test("an image with only a height keeps its proportions", async () => {
  const html = await htmlFrom('A <img src="./a%20b.png" height="20" alt="" /> logo', { images });
  expect(html).toContain(' height="20" alt="" loading="lazy" decoding="async" width="40"');
  const inPixels = await htmlFrom('<img src="./a b.png" height="20px" alt="" />', { images });
  expect(inPixels).toContain(' height="20px" alt="" loading="lazy" decoding="async" width="40"');
});

test("the sizes of an image also apply to its other formats", async () => {
  const html = await htmlFrom('<img src="./a%20b.png" sizes="100px" alt="" />', { images });
  expect(html).toContain('400w, /_img/a-800.avif 800w" sizes="100px"><img');
});

test("an image for one theme is shown in that theme only, as on GitHub", async () => {
  const html = await htmlFrom(
    "![A](/images/c.svg#gh-light-mode-only)![B](/images/c.svg#gh-dark-mode-only)",
    { images },
  );
  expect(html).toMatch(
    /^<p><span class="themed-light"><img[^>]*alt="A"[^>]*><\/span><span class="themed-dark"><img/,
  );
});

test("an attribute without a value is empty, as in HTML", async () => {
  expect(
    await htmlFrom('<img src="/a.png" alt class />', { images: { "/a.png": { src: "/a" } } }),
  ).toContain('<img src="/a" alt="" class="" loading="lazy"');
  expect(await htmlFrom("<video controls muted></video>")).toContain("<video controls muted>");
});
