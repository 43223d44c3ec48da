// Reads a WordPress export: WXR, one XML file.

import { pluralize } from "#lib/core/format.ts";
import { IMAGE_FILE, decodeIfEncoded } from "./asset-url.ts";
import { type ExportedPost, type ExportedSite, type ImportWarning } from "./exported-site.ts";
import { formatWithOffset, parseUtc } from "./local-time.ts";
import { htmlToPlainText } from "./plain-text.ts";
import { decodeExport, readExport } from "./read-export.ts";
import { normalizeWordPressHtml } from "./wordpress-html.ts";
import { type WxrDocument, type WxrItem, parseWxr } from "./wxr-reader.ts";

/** Types without text by the owner. Other types, such as "portfolio", are listed in a warning. */
const IGNORED_TYPES = new Set([
  "attachment",
  "nav_menu_item",
  "revision",
  "custom_css",
  "customize_changeset",
  "oembed_cache",
  "user_request",
  "wp_block",
  "wp_font_face",
  "wp_font_family",
  "wp_global_styles",
  "wp_navigation",
  "wp_template",
  "wp_template_part",
]);
const IGNORED_STATUSES = new Set(["trash", "auto-draft", "inherit"]);

/** Returns the export's posts and pages. */
export function readWordPressExport(file: string): ExportedSite {
  const wxr = parseWxr(file, decodeExport(file, readExport(file)));
  const blog = URL.parse(wxr.channel.get("wp:base_blog_url") || wxr.channel.get("link") || "");
  /** The folder of the blog; "" if it is not in one. */
  const base = blog?.pathname.replace(/\/+$/, "") ?? "";
  // Every WordPress site numbers its posts from 1.
  const idPrefix = `wordpress:${blog?.host ?? ""}${base}`;
  const listByType = (type: string) =>
    new Map(
      wxr.items
        .filter((item) => field(item, "wp:post_type") === type)
        .map((item) => [field(item, "wp:post_id"), item]),
    );
  const attachments = listByType("attachment");
  const reusableBlocks = listByType("wp_block");
  const warnings: ImportWarning[] = [];
  const items = wxr.items.filter((item) => isPost(item, warnings));
  const comments = items.reduce((sum, { commentCount }) => sum + commentCount, 0);
  if (comments > 0)
    warnings.push({
      subject: file,
      reason: `contains ${pluralize(comments, "comment")}, which this site can’t show`,
    });
  const posts = items.map((item) =>
    toPost(item, { base, idPrefix, attachments, reusableBlocks, warnings }),
  );
  return {
    platform: "wordpress",
    url: blog?.origin ?? "",
    posts,
    redirects: [
      ...listTermRedirects(wxr),
      { from: "/feed/", to: "/feed.xml", status: 301 },
      { from: "/author/*", to: "/blog", status: 301 },
      { from: "/page/*", to: "/blog", status: 301 },
    ].map((rule) => ({ ...rule, from: base + rule.from })),
    members: [],
    warnings,
    readAsset: () => null,
  };
}

const field = (item: WxrItem, name: string) => (item.fields.get(name) ?? "").trim();

function isPost(item: WxrItem, warnings: ImportWarning[]): boolean {
  const type = field(item, "wp:post_type");
  if (IGNORED_STATUSES.has(field(item, "wp:status"))) return false;
  if (type === "post" || type === "page") return true;
  if (!IGNORED_TYPES.has(type))
    warnings.push({
      subject: `the ${type} "${htmlToPlainText(field(item, "title"))}"`,
      reason: "is neither a post nor a page, so it was left out",
    });
  return false;
}

interface WxrContext {
  readonly base: string;
  readonly idPrefix: string;
  readonly attachments: ReadonlyMap<string, WxrItem>;
  readonly reusableBlocks: ReadonlyMap<string, WxrItem>;
  readonly warnings: ImportWarning[];
}

function toPost(
  item: WxrItem,
  { base, idPrefix, attachments, reusableBlocks, warnings }: WxrContext,
): ExportedPost {
  const kind = field(item, "wp:post_type") === "page" ? "page" : "post";
  const title = htmlToPlainText(field(item, "title"));
  const label = `the ${kind} "${title}"`;
  const status = field(item, "wp:status");
  const isPrivate = status === "private" || field(item, "wp:post_password") !== "";
  if (isPrivate) warnings.push({ subject: label, reason: "was private, so it became a draft" });
  const thumbnailId = item.meta.get("_thumbnail_id")?.[0]?.trim() ?? "";
  const thumbnail = attachments.get(thumbnailId);
  if (/^[1-9]/.test(thumbnailId) && !thumbnail)
    warnings.push({
      subject: label,
      reason: "lost its featured image: the export lacks it. Export “All content”",
    });
  const id = field(item, "wp:post_id");
  const domainTerms = (domain: string) =>
    item.terms
      .filter((term) => term.domain === domain && term.slug !== "uncategorized")
      .map(({ name }) => htmlToPlainText(name));
  const content = normalizeWordPressHtml(item.fields.get("content:encoded") ?? "", {
    footnotes: item.meta.get("footnotes")?.[0],
    findAttachmentUrl,
    listImageIds,
    findReusableBlock: (blockId) =>
      reusableBlocks.get(blockId)?.fields.get("content:encoded") ?? null,
  });
  for (const reason of content.warnings) warnings.push({ subject: label, reason });

  function findAttachmentUrl(id: string): { url: string; alt: string } | null {
    const attachment = attachments.get(id);
    if (!attachment) return null;
    return {
      url: field(attachment, "wp:attachment_url"),
      alt: attachment.meta.get("_wp_attachment_image_alt")?.[0] ?? "",
    };
  }

  function listImageIds(): string[] {
    const images = [...attachments].filter(
      ([, attachment]) =>
        field(attachment, "wp:post_parent") === id &&
        IMAGE_FILE.test(field(attachment, "wp:attachment_url")),
    );
    return images.map(([imageId]) => imageId);
  }

  return {
    id: `${idPrefix}:${id}`,
    kind,
    title,
    // WordPress percent-encodes slugs in non-Latin scripts.
    slug: decodeIfEncoded(field(item, "wp:post_name")),
    html: content.html,
    date: readTime(item, "wp:post_date"),
    updated: readTime(item, "wp:post_modified"),
    description: htmlToPlainText(field(item, "excerpt:encoded")),
    categories: domainTerms("category"),
    keywords: domainTerms("post_tag"),
    banner: thumbnail
      ? {
          url: field(thumbnail, "wp:attachment_url"),
          alt: thumbnail.meta.get("_wp_attachment_image_alt")?.[0] ?? "",
          credit: htmlToPlainText(field(thumbnail, "excerpt:encoded")),
        }
      : null,
    isDraft: isPrivate || status === "draft" || status === "pending",
    oldPaths: listOldPaths(item, base),
  };
}

/** Local and UTC times are both exported; their difference is the offset. */
function readTime(item: WxrItem, name: string): string {
  const local = parseUtc(field(item, name));
  const utc = parseUtc(field(item, `${name}_gmt`));
  if (Number.isNaN(local.getTime())) return "";
  // A draft has the UTC time 0000-00-00.
  if (Number.isNaN(utc.getTime())) return formatWithOffset(local, 0);
  const offsetMinutes = Math.round((local.getTime() - utc.getTime()) / 60_000);
  return formatWithOffset(utc, Math.abs(offsetMinutes) <= 14 * 60 ? offsetMinutes : 0);
}

function listOldPaths(item: WxrItem, base: string): string[] {
  const id = field(item, "wp:post_id");
  const parameter = field(item, "wp:post_type") === "page" ? "page_id" : "p";
  const paths = [`${base}/?${parameter}=${id}`];
  const link = field(item, "link");
  if (!URL.canParse(link)) return paths;
  const { pathname, search } = new URL(link);
  if (search !== "") return paths;
  const slug = field(item, "wp:post_name");
  for (const old of item.meta.get("_wp_old_slug") ?? [])
    if (slug !== "" && pathname.endsWith(`/${slug}/`))
      paths.push(`${pathname.slice(0, -slug.length - 1)}${old.trim()}/`);
  return pathname === "/" ? paths : [pathname, ...paths];
}

function listTermRedirects({ items }: WxrDocument) {
  const terms = new Map<string, { from: string; to: string; status: number }>();
  for (const item of items)
    for (const { domain, slug, name } of item.terms) {
      const folder = domain === "category" ? "category" : domain === "post_tag" ? "tag" : null;
      if (folder === null || slug === "") continue;
      const from = `/${folder}/${slug}/`;
      // Tags are keywords here, which the search finds.
      const query = folder === "category" && slug !== "uncategorized" ? "topic" : "q";
      const to =
        slug === "uncategorized"
          ? "/blog"
          : `/blog?${query}=${encodeURIComponent(htmlToPlainText(name))}`;
      terms.set(from, { from, to, status: 301 });
    }
  return [...terms.values()];
}
