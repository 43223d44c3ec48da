// Reads a Ghost export: the JSON file, or a ZIP with it and the folders content/images, media and
// files.

import { z } from "zod";
import { parse as parseYaml } from "yaml";
import { decodeIfEncoded } from "./asset-url.ts";
import {
  ExportError,
  type ExportedPost,
  type ExportedRedirect,
  type ExportedSite,
  type ImportWarning,
} from "./exported-site.ts";
import { formatInZone, parseUtc } from "./local-time.ts";
import { decodeExport, readExport } from "./read-export.ts";
import { type ZipArchive, openZip } from "./zip-archive.ts";

/** Ghost writes this in place of the site's own URL. */
const GHOST_URL = "__GHOST_URL__";

const text = z.string().nullish();
const id = z.union([z.string(), z.number()]).transform(String);
const time = z.union([z.string(), z.number()]).nullish();
const flag = z.union([z.boolean(), z.number()]).nullish();

const postSchema = z.object({
  id,
  title: text,
  slug: text,
  html: text,
  /** Ghost before version 1. */
  markdown: text,
  plaintext: text,
  feature_image: text,
  /** Ghost before version 1. */
  image: text,
  type: text,
  /** Ghost before version 3. */
  page: flag,
  status: text,
  visibility: text,
  updated_at: time,
  published_at: time,
  custom_excerpt: text,
});

const dataSchema = z.object({
  posts: z.array(postSchema),
  posts_meta: z
    .array(
      z.object({
        post_id: id,
        feature_image_alt: text,
        feature_image_caption: text,
        meta_description: text,
      }),
    )
    .default([]),
  tags: z.array(z.object({ id, name: text, slug: text, visibility: text })).default([]),
  posts_tags: z
    .array(z.object({ post_id: id, tag_id: id, sort_order: z.number().nullish() }))
    .default([]),
  settings: z.array(z.object({ key: z.string(), value: z.unknown() })).default([]),
});

type GhostData = z.infer<typeof dataSchema>;
type GhostPost = z.infer<typeof postSchema>;

/** Returns the export's posts and pages. `url` is the old site, which the file doesn't contain. */
export function readGhostExport(file: string, { url }: { url: string }): ExportedSite {
  const bytes = readExport(file);
  const zip = /\.zip$/i.test(file) ? openZip(file, bytes) : null;
  const jsonPath = zip ? findJsonPath(file, zip) : file;
  const data = parseGhostJson(jsonPath, decodeExport(jsonPath, zip ? zip.read(jsonPath) : bytes));
  const setting = (key: string) => {
    const value = data.settings.find((each) => each.key === key)?.value;
    return typeof value === "string" ? value : "";
  };
  // Before version 4, the setting had another name.
  const timeZone = setting("timezone") || setting("active_timezone") || setting("activeTimezone");
  const warnings: ImportWarning[] = [];
  const posts = data.posts.map((post) =>
    toPost(post, data, { timeZone: timeZone || "UTC", url }, warnings),
  );
  const tagRedirects = data.tags
    .filter(({ visibility, slug }) => visibility !== "internal" && slug)
    .map(({ name, slug }) => ({
      from: `/tag/${slug}/`,
      to: `/blog?topic=${encodeURIComponent(name ?? slug!)}`,
      status: 301,
    }));
  return {
    platform: "ghost",
    url,
    posts,
    redirects: [
      ...tagRedirects,
      { from: "/rss/", to: "/feed.xml", status: 301 },
      { from: "/author/*", to: "/blog", status: 301 },
      { from: "/page/*", to: "/blog", status: 301 },
      ...(zip ? readRedirects(zip, warnings) : []),
    ],
    members: [],
    warnings,
    readAsset: createAssetReader(zip, url),
  };
}

function findJsonPath(file: string, zip: ZipArchive): string {
  const paths = zip.paths.filter(
    (path) => /\.json$/i.test(path) && !/(^|\/)(redirects\.json|__MACOSX\/.*)$/.test(path),
  );
  const exportPath = paths.find((path) => /ghost/i.test(path)) ?? paths[0];
  if (exportPath === undefined)
    throw new ExportError(
      `${file} contains no JSON export. In Ghost, open Settings → Import/Export → Export content.`,
    );
  return exportPath;
}

function parseGhostJson(file: string, json: string): GhostData {
  let raw: unknown;
  try {
    raw = JSON.parse(json);
  } catch (error) {
    throw new ExportError(
      `${file} is not complete JSON (${(error as Error).message}). Export it again.`,
    );
  }
  const root = raw as { db?: { data?: unknown }[]; data?: unknown } | null;
  const parsed = dataSchema.safeParse(root?.db?.[0]?.data ?? root?.data);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0]!;
  throw new ExportError(
    `${file} is not a Ghost export: ${["db.0.data", ...path].join(".")}: ${message}.`,
  );
}

function toPost(
  post: GhostPost,
  data: GhostData,
  { timeZone, url }: { timeZone: string; url: string },
  warnings: ImportWarning[],
): ExportedPost {
  const kind = post.type === "page" || post.page === true || post.page === 1 ? "page" : "post";
  const label = `the ${kind} "${post.title ?? ""}"`;
  const meta = data.posts_meta.find(({ post_id }) => post_id === post.id);
  const tags = data.posts_tags
    .filter(({ post_id }) => post_id === post.id)
    .sort((a, b) => (a.sort_order ?? 0) - (b.sort_order ?? 0))
    .flatMap(({ tag_id }) => data.tags.find(({ id }) => id === tag_id) ?? [])
    .filter(({ visibility, name }) => visibility !== "internal" && !name?.startsWith("#"));
  const isPublic = (post.visibility ?? "public") === "public";
  if (!isPublic)
    warnings.push({
      subject: label,
      reason: `was for ${post.visibility} readers only, so it became a draft`,
    });
  if (!post.html && !post.markdown && post.plaintext?.trim())
    warnings.push({
      subject: label,
      reason: "has no HTML in the export. Open it in Ghost, save it, and export again",
    });
  const banner = post.feature_image || post.image;
  return {
    id: `ghost:${post.id}`,
    kind,
    title: post.title ?? "",
    slug: post.slug ?? "",
    html: markHtmlCards(post.html || (post.markdown ?? "")).replaceAll(GHOST_URL, url),
    date: formatInZone(parseUtc(post.published_at ?? post.updated_at), timeZone),
    updated: formatInZone(parseUtc(post.updated_at), timeZone),
    description: post.custom_excerpt || meta?.meta_description || "",
    categories: tags.flatMap(({ name, slug }) => name || slug || []),
    keywords: [],
    banner: banner
      ? {
          url: banner.replaceAll(GHOST_URL, url),
          alt: meta?.feature_image_alt ?? "",
          credit: meta?.feature_image_caption ?? "",
        }
      : null,
    // A "sent" post went out by email only.
    isDraft: !isPublic || post.status === "draft" || post.status === "sent",
    oldPaths: post.slug ? [`/${post.slug}/`] : [],
  };
}

/** Makes Ghost's comments around a card with raw HTML visible to the converter. */
const markHtmlCards = (html: string) =>
  html
    .replace(/<!--\s*kg-card-begin: html\s*-->/g, '<div class="kg-html-card">')
    .replace(/<!--\s*kg-card-end: html\s*-->/g, "</div>");

const redirectListSchema = z.array(
  z.object({ from: z.string(), to: z.string(), permanent: z.boolean().default(false) }),
);
const redirectMapSchema = z.record(z.string(), z.record(z.string(), z.string()).nullish());

/** Reads redirects.json or redirects.yaml. Its rules are regular expressions; plain paths convert. */
function readRedirects(zip: ZipArchive, warnings: ImportWarning[]): ExportedRedirect[] {
  const path = zip.paths.find((each) => /(^|\/)redirects\.(json|ya?ml)$/i.test(each));
  if (path === undefined) return [];
  const rules: { from: string; to: string; status: number }[] = [];
  try {
    const raw: unknown = parseYaml(decodeExport(path, zip.read(path)));
    const list = redirectListSchema.safeParse(raw);
    if (list.success)
      for (const { from, to, permanent } of list.data)
        rules.push({ from, to, status: permanent ? 301 : 302 });
    else
      for (const [status, pairs] of Object.entries(redirectMapSchema.parse(raw)))
        for (const [from, to] of Object.entries(pairs ?? {}))
          rules.push({ from, to, status: Number(status) });
  } catch (error) {
    warnings.push({ subject: path, reason: `can't be read: ${(error as Error).message}` });
    return [];
  }
  return rules.flatMap(({ from, to, status }) => {
    const plainPath = from.replace(/^\^/, "").replace(/(\/\?)?\$$/, "");
    if (/^\/[^\\^$.*+?()[\]{}|]*$/.test(plainPath) && !to.includes("$"))
      return [{ from: plainPath, to, status }];
    warnings.push({
      subject: path,
      reason: `the rule ${from} is a pattern; add it to content/_redirects yourself`,
    });
    return [];
  });
}

/** Returns a reader of URLs below content/ in the archive. */
function createAssetReader(zip: ZipArchive | null, siteUrl: string): ExportedSite["readAsset"] {
  const pathsByContentPath = new Map(
    (zip?.paths ?? []).flatMap((path) => {
      const contentPath = /(?:^|\/)(content\/(?:images|media|files)\/.*)$/.exec(path)?.[1];
      return contentPath === undefined ? [] : [[contentPath, path] as const];
    }),
  );
  return (url) => {
    const path = siteUrl !== "" && url.startsWith(`${siteUrl}/`) ? url.slice(siteUrl.length) : url;
    if (!path.startsWith("/content/")) return null;
    // Ghost links to resized copies: content/images/size/w600/2021/a.jpg.
    const contentPath = decodeIfEncoded(path.slice(1).replace(/[?#].*$/, "")).replace(
      /^content\/images\/size\/[^/]+\//,
      "content/images/",
    );
    const zipPath = pathsByContentPath.get(contentPath);
    return zipPath === undefined ? null : zip!.read(zipPath);
  };
}
