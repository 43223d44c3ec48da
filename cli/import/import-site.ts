// Writes the posts of an export into a content folder.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { type PostAssets, createAssetDownloader } from "./asset-downloader.ts";
import { isUploadedFile, originalUrl } from "./asset-url.ts";
import type { ExportedRedirect, ExportedSite, ImportWarning } from "./exported-site.ts";
import { htmlToMdx } from "./html-to-mdx.ts";
import { openManifest } from "./import-manifest.ts";
import {
  type PostAddress,
  comparablePath,
  createLinkResolver,
  isOwnPage,
  planAddresses,
  toSlug,
} from "./plan-addresses.ts";
import { formatPostFile } from "./post-file.ts";
import { addRedirects } from "./redirects-file.ts";

export interface ImportReport {
  posts: number;
  pages: number;
  drafts: number;
  /** Files written or changed by this run. */
  written: number;
  unchanged: number;
  images: number;
  aliases: number;
  redirects: number;
  readonly warnings: ImportWarning[];
}

/** Imports `site` into the content folder `root`. With `isDryRun`, writes and fetches nothing. */
export async function importSite(
  site: ExportedSite,
  { root, isDryRun }: { root: string; isDryRun: boolean },
): Promise<ImportReport> {
  const report: ImportReport = {
    posts: 0,
    pages: 0,
    drafts: 0,
    written: 0,
    unchanged: 0,
    images: 0,
    aliases: 0,
    redirects: 0,
    warnings: [...site.warnings],
  };
  if (!isDryRun) mkdirSync(root, { recursive: true });
  const manifest = openManifest(root, { isDryRun });
  const addresses = planAddresses(site, manifest);
  const resolveLink = createLinkResolver(site.url, addresses);
  const download = createAssetDownloader({ site, manifest, isDryRun });
  const newPaths = new Set(addresses.map(({ path }) => comparablePath(path)));
  const usedAliases = new Set<string>();
  const newestDate = findNewestDate(site);
  try {
    for (const address of addresses) {
      const { post, folder, file } = address;
      const isKept = manifest.findKeptReason(file, post.id) !== null;
      const assets = await download(folder, listAssetUrls(address, site), { isKept });
      report.images += assets.downloadCount;
      for (const { url, reason } of assets.failures)
        report.warnings.push({ subject: file, reason: `${url} stays a link: ${reason}` });
      const aliases = listAliases(address, newPaths, usedAliases);
      const text = formatPost(address, {
        site,
        assets,
        aliases,
        resolveLink,
        newestDate,
        report,
      });
      const result = manifest.writeFile(file, post.id, text);
      if (result === "written" || result === "updated") report.written += 1;
      else if (result === "unchanged") report.unchanged += 1;
      else report.warnings.push({ subject: file, reason: KEPT_REASONS[result] });
      report[post.kind === "page" ? "pages" : "posts"] += 1;
      if (post.isDraft) report.drafts += 1;
      const slug = toSlug(post.slug);
      if (post.kind === "page" && slug !== "" && isOwnPage(`/${slug}`))
        report.warnings.push({
          subject: file,
          reason: `is at ${address.path}, because /${slug} is a page of this site`,
        });
      report.aliases += aliases.length;
      if (assets.downloadCount > 0) manifest.save();
    }
    const pathRules = [...site.redirects, ...listPageRedirects(addresses)].filter(
      ({ from }) => !newPaths.has(comparablePath(from)) && !isOwnPage(comparablePath(from)),
    );
    report.redirects = addRedirects(
      join(root, "_redirects"),
      [...pathRules, ...listQueryRedirects(addresses)],
      { platform: site.platform, isDryRun },
    );
  } finally {
    manifest.save();
  }
  return report;
}

const KEPT_REASONS = {
  edited: "was edited since the last import, so it was not changed",
  deleted: "was deleted since the last import, so it was not written again",
  foreign: "exists and is not from this post, so it was not changed",
};

/** The same export always gives the same date. */
function findNewestDate({ posts }: ExportedSite): string {
  const dates = posts.flatMap(({ date, isDraft }) => (isDraft || date === "" ? [] : date));
  return dates.reduce((a, b) => (Date.parse(b) > Date.parse(a) ? b : a), "2000-01-01");
}

/** Converts once without files, to find out which ones the post needs. */
function listAssetUrls({ post }: PostAddress, { url: siteUrl }: ExportedSite): string[] {
  const urls = new Set<string>();
  const collect = (url: string) => {
    const original = url.startsWith("data:image/") ? url : originalUrl(url, siteUrl);
    if (original !== "") urls.add(original);
    return url;
  };
  if (post.banner) collect(post.banner.url);
  htmlToMdx(post.html, {
    resolveAsset: collect,
    isAsset: (url) => isUploadedFile(url, siteUrl),
    resolveLink: (url) => url,
    warn: () => {},
  });
  return [...urls];
}

/**
 * Returns the post's old paths that are not addresses on the new site. Each path redirects to only
 * one post.
 */
function listAliases(
  { post }: PostAddress,
  newPaths: ReadonlySet<string>,
  usedAliases: Set<string>,
): string[] {
  if (post.kind === "page") return [];
  return post.oldPaths.filter((oldPath) => {
    const path = comparablePath(oldPath);
    if (oldPath.includes("?") || newPaths.has(path) || usedAliases.has(path)) return false;
    usedAliases.add(path);
    return true;
  });
}

/** Only posts have aliases. */
const listPageRedirects = (addresses: readonly PostAddress[]): ExportedRedirect[] =>
  addresses
    .filter(({ post }) => post.kind === "page")
    .flatMap(({ post, path }) =>
      post.oldPaths
        .filter((oldPath) => !oldPath.includes("?"))
        .map((from) => ({ from, to: encodeURI(path), status: 301 })),
    );

/** An alias is a path, so addresses such as "/?p=12" are rules. */
const listQueryRedirects = (addresses: readonly PostAddress[]): ExportedRedirect[] =>
  addresses.flatMap(({ post, path }) =>
    post.oldPaths.flatMap((oldPath) => {
      const [from, query] = oldPath.split("?");
      return query ? [{ from: from!, query, to: encodeURI(path), status: 301 }] : [];
    }),
  );

interface FormatOptions {
  readonly site: ExportedSite;
  readonly assets: PostAssets;
  readonly aliases: readonly string[];
  readonly resolveLink: (url: string) => string;
  readonly newestDate: string;
  readonly report: ImportReport;
}

function formatPost(
  { post, file }: PostAddress,
  { site, assets, aliases, resolveLink, newestDate, report }: FormatOptions,
): string {
  const resolveAsset = (url: string) => {
    const original = url.startsWith("data:image/") ? url : originalUrl(url, site.url);
    const name = assets.names.get(original);
    return name === undefined ? original || url : `./${name}`;
  };
  const body = htmlToMdx(post.html, {
    resolveAsset,
    isAsset: (url) => isUploadedFile(url, site.url),
    resolveLink,
    warn: (reason) => report.warnings.push({ subject: file, reason }),
  });
  const banner = post.banner ? resolveAsset(post.banner.url) : null;
  return formatPostFile({
    // A draft may have no date, which a post needs.
    post: post.kind === "post" && post.date === "" ? { ...post, date: newestDate } : post,
    aliases,
    body,
    // The site accepts files next to the post and https URLs.
    banner: banner !== null && /^(?:\.\/|https:\/\/)/.test(banner) ? banner : null,
  });
}
