// Finds each front matter field under our name, the owner's name, or a name of another engine, and
// converts what other engines write.

import { type FrontMatterField, frontMatterFieldNames } from "./front-matter.ts";
import { parseWrittenDate } from "./front-matter-date.ts";

/** Maps names in posts to our fields: { heroImage: "banner" }. */
export type FrontMatterMapping = Readonly<Record<string, string>>;

export interface FieldEntry {
  readonly name: FrontMatterField;
  /** The value's path in the front matter. */
  readonly keys: readonly string[];
  readonly value: unknown;
  /** Whether the name is ours or the owner's. Under another name, an invalid value is ignored. */
  readonly isExplicit: boolean;
}

type Values = Readonly<Record<string, unknown>>;

/** Names of the same field in Hugo, Jekyll, Astro, Eleventy, Hashnode and others, best first. */
const OTHER_NAMES: Partial<Record<FrontMatterField, readonly string[]>> = {
  date: [
    "pubDate",
    "pubDatetime",
    "publishDate",
    "publishedAt",
    "published_at",
    "published",
    "datePublished",
  ],
  updated: [
    "lastmod",
    "lastMod",
    "modified",
    "modDatetime",
    "updatedDate",
    "updatedAt",
    "updated_at",
    "lastUpdated",
    "last_modified_at",
    "dateModified",
  ],
  description: ["summary", "excerpt"],
  categories: ["category", "tags", "topics"],
  keywords: ["meta.keywords", "tags"],
  banner: [
    "image",
    "cover",
    "coverImage",
    "cover_image",
    "hero",
    "heroImage",
    "featuredImage",
    "featured_image",
    "featureimage",
    "ogImage",
    "thumbnail",
    "images",
  ],
  bannerAlt: ["cover.alt", "image.alt", "imageAlt", "coverAlt", "heroImageAlt"],
  bannerCredit: ["cover.caption"],
  aliases: ["alias", "redirect_from", "redirectFrom"],
  lang: ["language", "locale"],
};

/** Full URLs of the post on its previous site. They are aliases here. */
const ADDRESS_NAMES = ["url", "permalink"];

/** Returns the value at the name, or at a path of names with dots. */
function valueAt(values: Values, path: string): unknown {
  if (Object.hasOwn(values, path)) return values[path] ?? undefined;
  let value: unknown = values;
  for (const key of path.split(".")) {
    if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return undefined;
    value = (value as Values)[key];
  }
  return value ?? undefined;
}

/** Returns every field that has a value. Under several names, our name counts, then the owner's. */
export function listFieldEntries(values: Values, mapping: FrontMatterMapping): FieldEntry[] {
  const usedNames = new Set<string>();
  return frontMatterFieldNames.flatMap((name): FieldEntry[] => {
    const owners = Object.keys(mapping).filter((theirs) => mapping[theirs] === name);
    const candidates = [
      ...[name, ...owners].map((path) => ({ path, isExplicit: true })),
      ...(OTHER_NAMES[name] ?? []).map((path) => ({ path, isExplicit: path === "meta.keywords" })),
    ];
    for (const { path, isExplicit } of candidates) {
      if (usedNames.has(path) || (!isExplicit && Object.hasOwn(mapping, path))) continue;
      const value = coerce(name, valueAt(values, path), isExplicit, values);
      if (value === undefined) continue;
      usedNames.add(path);
      const keys = Object.hasOwn(values, path) ? [path] : path.split(".");
      return [{ name, keys, value, isExplicit }];
    }
    const implied = impliedValue(name, values);
    return implied === null ? [] : [{ name, ...implied, isExplicit: false }];
  });
}

/** Returns the value that another field implies, or null. */
function impliedValue(
  name: FrontMatterField,
  values: Values,
): { keys: string[]; value: unknown } | null {
  if (name === "draft" && toBoolean(valueAt(values, "published")) === false)
    return { keys: ["published"], value: true };
  if (name === "aliases") {
    const addresses = ADDRESS_NAMES.flatMap((key) => toAddressPath(valueAt(values, key)) ?? []);
    if (addresses.length > 0) return { keys: ["url"], value: addresses };
  }
  return null;
}

/** Returns the path of an address; undefined for a pattern such as /:year/:title. */
function toAddressPath(value: unknown): string | undefined {
  if (typeof value !== "string" || !/^(?:\/|https?:\/\/)/.test(value)) return undefined;
  const path = URL.parse(value, "http://localhost")?.pathname;
  return path === undefined || path === "/" || path.includes(":") ? undefined : path;
}

const toBoolean = (value: unknown): unknown =>
  typeof value === "string"
    ? ({ true: true, yes: true, false: false, no: false }[value.trim().toLowerCase()] ?? value)
    : value;

const toText = (value: unknown): unknown =>
  typeof value === "number" || typeof value === "boolean" ? String(value) : value;

/** Converts a value to the field's form. Returns undefined where the value means something else. */
function coerce(
  name: FrontMatterField,
  value: unknown,
  isExplicit: boolean,
  values: Values,
): unknown {
  if (value === undefined || (typeof value === "string" && value.trim() === "")) return undefined;
  switch (name) {
    case "categories":
    case "keywords":
      return toWordList(value, ",");
    case "aliases": {
      const list = toWordList(value, null);
      if (!Array.isArray(list)) return list;
      return [
        ...list,
        ...ADDRESS_NAMES.flatMap((key) => toAddressPath(valueAt(values, key)) ?? []),
      ];
    }
    case "date":
    case "updated":
      // `published` is also a boolean.
      return isExplicit || parseWrittenDate(value) ? value : undefined;
    case "banner":
      return toBanner(value, isExplicit);
    case "series":
      return toSeries(value, values);
    case "slug":
      // In Gatsby and Docusaurus, slugs can look like "/my-post/".
      return typeof value === "string" ? value.replace(/^\/+|\/+$/g, "") : toText(value);
    case "draft":
    case "archived":
    case "unlisted":
      return toBoolean(value);
    default:
      return toText(value);
  }
}

/** Returns a word as text. Docusaurus and CMSs write tags as objects with a label or name. */
const toWord = (value: unknown): unknown =>
  typeof value === "object" && value !== null
    ? ((value as Values).label ?? (value as Values).name ?? value)
    : toText(value);

/** Returns a list for one string, and strings for numbers. */
function toWordList(value: unknown, separator: string | null): unknown {
  const text = toText(value);
  if (typeof text === "string")
    return (separator === null ? [text] : text.split(separator))
      .map((word) => word.trim())
      .filter((word) => word !== "");
  return Array.isArray(value) ? value.filter((word) => word !== null).map(toWord) : value;
}

/** Accepts a bare file name, and the objects and lists that themes of other engines use. */
function toBanner(value: unknown, isExplicit: boolean): unknown {
  const [first] = Array.isArray(value) ? (value as unknown[]) : [value];
  const image = typeof first === "object" && first !== null ? pickImage(first as Values) : first;
  if (typeof image !== "string" || image.trim() === "") return isExplicit ? value : undefined;
  const path = image.trim().replace(/^http:\/\//, "https://");
  return /^(?!\.{0,2}\/)[^\\]/.test(path) && !path.includes(":") ? `./${path}` : path;
}

const pickImage = (object: Values): unknown =>
  object.image ?? object.src ?? object.url ?? object.path ?? object.relative;

function toSeries(value: unknown, values: Values): unknown {
  const name = toText(value);
  if (typeof name !== "string") {
    const { name: own, title, part, order } = value as Values;
    return typeof value === "object" ? withPart(toText(own ?? title), part ?? order) : value;
  }
  const part = ["seriesPart", "series_part", "seriesOrder", "series_order", "part"]
    .map((key) => valueAt(values, key))
    .find((each) => each !== undefined);
  return withPart(name, part);
}

function withPart(name: unknown, part: unknown): unknown {
  if (part === undefined || part === null) return { name };
  return { name, part: typeof part === "string" && part.trim() !== "" ? Number(part) : part };
}
