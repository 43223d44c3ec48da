// Checks that exports which are cut short, of another kind, or malicious are refused by name.

import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { strToU8, zipSync } from "fflate";
import { beforeEach, expect, test } from "vitest";
import {
  ghostExportJson,
  ghostExportZip,
  substackExportZip,
  wordPressExportXml,
} from "#tests/support/blog-exports.ts";
import { servedContentType } from "#lib/posts/source/content-file-response.ts";
import { isUploadedFile, originalUrl } from "./asset-url.ts";
import { ExportError } from "./exported-site.ts";
import { readGhostExport } from "./ghost.ts";
import { parseUtc } from "./local-time.ts";
import { readMembersCsv, readSubstackExport } from "./substack.ts";
import { readWordPressExport } from "./wordpress.ts";

let folder: string;

beforeEach(() => {
  folder = join(process.env.DATA_DIR!, "exports");
  mkdirSync(folder, { recursive: true });
});

/** Returns the message of the ExportError that `read` throws for a file with these bytes. */
function problemOf(name: string, data: string | Uint8Array, read: (file: string) => unknown) {
  const file = join(folder, name);
  writeFileSync(file, data);
  try {
    read(file);
  } catch (error) {
    if (error instanceof ExportError) return error.message;
    throw error;
  }
  throw new Error("It was read.");
}

const ghost = (file: string) => readGhostExport(file, { url: "" });
const substack = (file: string) => readSubstackExport(file, { url: "" });
const xml = wordPressExportXml("https://old.example");

test.each([
  ["a.json", ghostExportJson().slice(0, 9_000), ghost, /a\.json is not complete JSON/],
  ["a.json", "", ghost, /a\.json is empty/],
  ["a.json", '{"db":[{"data":{}}]}', ghost, /a\.json is not a Ghost export: db\.0\.data\.posts/],
  ["a.json", "null", ghost, /not a Ghost export/],
  ["a.json", new Uint8Array([0xff, 0xfe, 0x00]), ghost, /a\.json is not UTF-8/],
  ["a.zip", ghostExportZip().slice(0, 900), ghost, /a\.zip is not a complete ZIP archive/],
  ["a.zip", zipSync({ "a.txt": strToU8("a") }), ghost, /a\.zip contains no JSON export/],
  ["a.xml", xml.slice(0, xml.length / 2), readWordPressExport, /a\.xml is not complete: it ends/],
  // Would take years with backtracking (ReDoS).
  ["a.xml", `<rss></rss>${"<!---->".repeat(200)}x`, readWordPressExport, /it ends before/],
  ["a.xml", "<html><body></body></html>", readWordPressExport, /it has no <rss>/],
  [
    "a.xml",
    '<rss version="2.0"><channel></channel></rss>',
    readWordPressExport,
    /no wp:wxr_version/,
  ],
  ["a.zip", zipSync({ "a.txt": strToU8("a") }), substack, /it has no posts\.csv/],
  ["a.zip", zipSync({ "posts.csv": strToU8('post_id,title\n1,"x') }), substack, /not valid CSV/],
])("%s that is no export is refused with its name (%#)", (name, data, read, message) => {
  expect(problemOf(name, data, read)).toMatch(message);
});

test("a missing file is reported", () => {
  expect(() => ghost(join(folder, "none.json"))).toThrow(/none\.json does not exist/);
});

test("XML entities are refused, so that nothing expands", () => {
  const bomb = `<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]>${xml.slice(xml.indexOf("<rss"))}`;
  expect(problemOf("a.xml", bomb, readWordPressExport)).toMatch(/declares XML entities/);
});

test("a post may show how XML entities are declared", () => {
  const example = xml.replace("<![CDATA[", '<![CDATA[<!ENTITY a "ha">');
  expect(example.indexOf("<!ENTITY")).toBeLessThan(20_000);
  const file = join(folder, "example.xml");
  writeFileSync(file, example);
  expect(readWordPressExport(file).posts.length).toBeGreaterThan(40);
});

test("a path that leaves the archive's folder is refused", () => {
  for (const path of ["../../evil.json", "/etc/evil.json", "a/..\\..\\evil.json"])
    expect(problemOf("a.zip", zipSync({ [path]: strToU8("{}") }), ghost)).toMatch(
      /leaves its folder. Nothing was imported/,
    );
});

test("a ZIP with two files of the same name is refused", () => {
  const zip = Buffer.from(zipSync({ "a.json": strToU8("{}"), "b.json": strToU8("{}") }));
  for (let at = zip.indexOf("b.json"); at >= 0; at = zip.indexOf("b.json")) zip.write("a", at);
  expect(problemOf("a.zip", zip, ghost)).toMatch(/a\.zip contains two files named "a\.json"/);
});

test("endlessly nested elements are refused", () => {
  expect(problemOf("a.xml", `<rss>${"<a>".repeat(400_000)}`, readWordPressExport)).toMatch(
    /has more than 100 levels of nested elements/,
  );
});

test("a ZIP bomb is refused before it is decompressed", () => {
  const bomb = zipSync({ "ghost.json": new Uint8Array(5 * 1_048_576) });
  expect(bomb.byteLength).toBeLessThan(100_000);
  expect(problemOf("a.zip", withDeclaredSize(bomb, 900 * 1_048_576), ghost)).toMatch(
    /would decompress to 943718400 bytes, which is too large/,
  );
});

/** Changes the size that the archive's directory declares. */
function withDeclaredSize(zip: Uint8Array, size: number): Uint8Array {
  const bytes = Buffer.from(zip);
  const entry = bytes.indexOf(Buffer.from([0x50, 0x4b, 1, 2]));
  bytes.writeUInt32LE(size, entry + 24);
  return bytes;
}

test("members of Substack's and Ghost's lists are read, deleted ones left out", () => {
  const file = join(folder, "substack.zip");
  writeFileSync(file, substackExportZip("https://old.example"));
  expect(substack(file).members[0]).toEqual({
    email: "Reader@example.test",
    name: "",
    createdAt: "2022-03-04T05:06:07.000Z",
  });
  const csv =
    "id,email,name,note,subscribed_to_emails,complimentary_plan,stripe_customer_id,created_at,deleted_at,labels,tiers\n1,ada@example.test,Ada Lovelace,,true,false,,2020-01-02T03:04:05.000Z,,,\n2,gone@example.test,,,true,false,,2020-01-02T03:04:05.000Z,2021-01-01T00:00:00.000Z,,\n";
  expect(readMembersCsv("members.csv", csv)).toEqual([
    { email: "ada@example.test", name: "Ada Lovelace", createdAt: "2020-01-02T03:04:05.000Z" },
  ]);
  expect(() => readMembersCsv("x.csv", "a,b\n1,2\n")).toThrow(/x\.csv has no column "email"/);
});

test("a time without a zone is in UTC, wherever the command runs", () => {
  const before = process.env.TZ;
  process.env.TZ = "America/New_York";
  try {
    for (const time of ["2024-03-05T10:00:00", "2024-03-05 10:00", "2024-03-05 10:00:00.000"])
      expect(parseUtc(time).toISOString(), time).toBe("2024-03-05T10:00:00.000Z");
    expect(parseUtc("2024-03-05T10:00:00-05:00").toISOString()).toBe("2024-03-05T15:00:00.000Z");
  } finally {
    process.env.TZ = before ?? "UTC";
  }
});

test("an image proxy's URL without a valid original stays as it is", () => {
  const cdn = "https://substackcdn.com/image/fetch/w_1/";
  expect(originalUrl(`${cdn}https%3A%2F%2Fa.example%2Fb.png`, "")).toBe("https://a.example/b.png");
  for (const url of [`${cdn}https%3A%2F%2Fa.example%2Fcaf%E9.png`, `${cdn}https%3A%2F%2F`])
    expect(originalUrl(url, "")).toBe(url);
  expect(originalUrl("https://i0.wp.com/", "")).toBe("https://i0.wp.com/");
});

test("a WordPress gallery without IDs shows the images that are attached to the post", () => {
  const file = join(folder, "gallery.xml");
  writeFileSync(
    file,
    xml
      .replace('[gallery ids="900,901"]', '[gallery columns="2"]')
      .replace(/(<wp:post_id>90\d<[^]*?<wp:post_parent>)0/g, "$1102"),
  );
  const { html } = readWordPressExport(file).posts.find(({ title }) => / 2$/.test(title))!;
  expect(html.match(/image-90\d\.png/g)).toEqual(["image-900.png", "image-901.png"]);
});

test("WordPress images that the export does not list are reported", () => {
  const file = join(folder, "posts.xml");
  writeFileSync(file, xml.replaceAll("CDATA[attachment]", "CDATA[revision]"));
  const { warnings } = readWordPressExport(file);
  const reasonsFor = (index: number) =>
    warnings.filter(({ subject }) => subject === `the post "WordPress post ${index}"`);
  expect(reasonsFor(2)).toMatchObject([{ reason: "the shortcode [gallery] stayed as text" }]);
  expect(reasonsFor(0)).toMatchObject([
    { reason: "lost its featured image: the export lacks it. Export “All content”" },
  ]);
});

test("a reusable WordPress block keeps its content, and generated blocks are reported", () => {
  const file = join(folder, "blocks.xml");
  writeFileSync(
    file,
    xml
      .replace(
        '[gallery ids="900,901"]',
        '<!-- wp:block {"ref":900} /--><!-- wp:block {"ref":7} /--><!-- wp:latest-posts {"a":"b"} /-->',
      )
      .replaceAll("CDATA[attachment]", "CDATA[wp_block]")
      .replaceAll("<content:encoded><![CDATA[]]>", "<content:encoded><![CDATA[<p>Shared</p>]]>"),
  );
  const { posts, warnings } = readWordPressExport(file);
  expect(posts.find(({ title }) => / 2$/.test(title))!.html).toContain("<p>Shared</p>");
  expect(
    warnings.filter(({ subject }) => / 2"$/.test(subject)).map(({ reason }) => reason),
  ).toEqual([
    "lost a reusable block: the export lacks it. Export “All content”",
    "the block “latest-posts” was left out: WordPress generates it",
  ]);
});

test("the comments of a WordPress site, which are not imported, are reported", () => {
  const file = join(folder, "comments.xml");
  writeFileSync(file, xml);
  expect(readWordPressExport(file).warnings).toContainEqual({
    subject: file,
    reason: "contains 50 comments, which this site can’t show",
  });
});

test("the site serves every kind of file that an import downloads", () => {
  for (const extension of ["pdf", "epub", "docx", "xlsx", "pptx", "mov", "csv", "gif"]) {
    const file = `a.${extension}`;
    expect(isUploadedFile(`https://old.example/wp-content/uploads/${file}`, ""), file).toBe(true);
    expect(servedContentType(file), file).not.toBe(null);
  }
});

test("the paths of a WordPress site in a folder include the folder", () => {
  const file = join(folder, "subfolder.xml");
  writeFileSync(
    file,
    xml.replace(
      "<wp:base_blog_url>https://old.example<",
      "<wp:base_blog_url>https://old.example/blog/<",
    ),
  );
  const { url, posts, redirects } = readWordPressExport(file);
  expect(posts[0]!.oldPaths).toContain("/blog/?p=100");
  expect(redirects.map(({ from }) => from)).toEqual(
    expect.arrayContaining(["/blog/category/news/", "/blog/tag/sql/", "/blog/feed/"]),
  );
  expect(originalUrl("/blog/wp-content/uploads/a.png", url)).toBe(
    "https://old.example/blog/wp-content/uploads/a.png",
  );
  expect(posts[0]!.id).toBe("wordpress:old.example/blog:100");
});
