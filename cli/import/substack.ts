// Reads a Substack export: a ZIP with posts.csv, an HTML file for each post, and the subscribers.

import { parse } from "csv-parse/sync";
import {
  ExportError,
  type ExportedMember,
  type ExportedPost,
  type ExportedSite,
  type ImportWarning,
} from "./exported-site.ts";
import { formatInZone, parseUtc } from "./local-time.ts";
import { decodeExport, readExport } from "./read-export.ts";
import { type ZipArchive, openZip } from "./zip-archive.ts";

type Row = Record<string, string>;

/** Returns the export's posts. `url` is the old site, which the file does not name. */
export function readSubstackExport(file: string, { url }: { url: string }): ExportedSite {
  const zip = openZip(file, readExport(file));
  const indexPath = zip.paths.find((path) => /(^|\/)posts\.csv$/.test(path));
  if (indexPath === undefined)
    throw new ExportError(
      `${file} is not a Substack export: it has no posts.csv. In Substack, open Settings → Exports.`,
    );
  const folder = indexPath.slice(0, -"posts.csv".length);
  const rows = parseCsv(indexPath, decodeExport(indexPath, zip.read(indexPath)));
  const warnings: ImportWarning[] = [];
  const posts = rows.flatMap((row) => toPost(row, folder, zip, warnings));
  return {
    platform: "substack",
    url,
    posts,
    redirects: [
      { from: "/archive", to: "/blog", status: 301 },
      { from: "/feed", to: "/feed.xml", status: 301 },
    ],
    members: readSubscribers(zip, folder),
    warnings,
    readAsset: () => null,
  };
}

/** Throws ExportError with the line if `text` is not CSV with a header. */
export function parseCsv(file: string, text: string): Row[] {
  try {
    return parse(text, { columns: true, skip_empty_lines: true, trim: true, bom: true }) as Row[];
  } catch (error) {
    throw new ExportError(`${file} is not valid CSV: ${(error as Error).message}.`);
  }
}

function toPost(
  row: Row,
  folder: string,
  zip: ZipArchive,
  warnings: ImportWarning[],
): ExportedPost[] {
  const postId = row.post_id ?? "";
  const [, number, slug] = /^(\d+)\.(.*)$/.exec(postId) ?? [undefined, postId, ""];
  const title = row.title || slug || `Post ${number}`;
  const label = `the post "${title}"`;
  const htmlPath = `${folder}posts/${postId}.html`;
  const isPublished = row.is_published === "true";
  if (!zip.paths.includes(htmlPath)) {
    // Threads and restacks have no text.
    if (isPublished)
      warnings.push({ subject: label, reason: `has no text: ${htmlPath} is missing` });
    return [];
  }
  const isPublic = (row.audience || "everyone") === "everyone";
  if (!isPublic)
    warnings.push({ subject: label, reason: `was for ${row.audience} only, so it became a draft` });
  if (row.podcast_url)
    warnings.push({ subject: label, reason: "is a podcast episode; its audio became a link" });
  const audio = row.podcast_url
    ? `<p><a href="${row.podcast_url.replace(/"/g, "%22")}">Listen to the episode</a></p>`
    : "";
  return [
    {
      id: `substack:${number}`,
      kind: row.type === "page" ? "page" : "post",
      title,
      slug: slug ?? "",
      html: audio + decodeExport(htmlPath, zip.read(htmlPath)),
      date: formatInZone(parseUtc(row.post_date), "UTC"),
      updated: "",
      description: row.subtitle ?? "",
      categories: [],
      keywords: [],
      banner: null,
      isDraft: !isPublished || !isPublic,
      oldPaths: slug ? [`/p/${slug}`] : [],
    },
  ];
}

function readSubscribers(zip: ZipArchive, folder: string): ExportedMember[] {
  const path = zip.paths.find(
    (each) => each.startsWith(folder) && /(^|\/)email_list\..*\.csv$/.test(each),
  );
  return path === undefined ? [] : readMembersCsv(path, decodeExport(path, zip.read(path)));
}

/** Reads members of a CSV with an `email` column, as Ghost, Substack and others export them. */
export function readMembersCsv(file: string, text: string): ExportedMember[] {
  const rows = parseCsv(file, text);
  if (rows.length > 0 && !("email" in rows[0]!))
    throw new ExportError(`${file} has no column "email" in its first line.`);
  return rows
    .filter((row) => !row.deleted_at)
    .map((row) => ({
      email: row.email ?? "",
      name: row.name ?? row.first_name ?? "",
      createdAt: row.created_at ?? row.subscribed_at ?? "",
    }));
}
