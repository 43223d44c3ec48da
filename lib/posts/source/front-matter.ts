// Defines the front matter of a post: fields, validation, defaults.

import { z } from "zod";

export interface Translation {
  /** The language's own name, as shown to readers. */
  readonly language: string;
  readonly link: string;
  readonly author?: { readonly name: string; readonly link?: string };
}

export interface FrontMatter {
  readonly title: string;
  /** Calendar day as YYYY-MM-DD, independent of time zones. Empty for a page without a date. */
  readonly date: string;
  readonly description: string;
  readonly categories: string[];
  readonly keywords: string[];
  /** './hero.png' beside the post, '/images/…' in public, or an https URL. */
  readonly banner?: string;
  readonly bannerCredit?: string;
  readonly bannerAlt?: string;
  readonly bannerTitle?: string;
  readonly translations: Translation[];
  /** The address that the author chose, instead of the file's name. */
  readonly slug?: string;
  /** Earlier addresses of the post: paths, or URLs of another host. */
  readonly aliases: string[];
  readonly draft: boolean;
  readonly archived: boolean;
  readonly unlisted: boolean;
}

const DATE_RULE =
  "must be a calendar day such as 2026-11-21 (a time after it is allowed and dropped)";
const CALENDAR_DAY = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:$|[Tt ])/;

/**
 * Returns the calendar day in `value` as YYYY-MM-DD, or null. Ignores a time and time zone after
 * it.
 */
export function parseCalendarDay(value: string): string | null {
  const match = CALENDAR_DAY.exec(value.trim());
  if (!match) return null;
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const date = new Date(Date.UTC(year, month - 1, day));
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return null;
  return date.toISOString().slice(0, 10);
}

const textField = (rule: string, max: number) =>
  z
    .string({ error: rule })
    .transform((value) => value.replace(/\s+/g, " ").trim())
    .refine((value) => value.length > 0, rule)
    .refine((value) => value.length <= max, `must have at most ${max} characters`);

const wordListField = z
  .array(textField("must be text; put quotes around numbers and dates", 60), {
    error: "must be a list of strings, such as [sqlite, caching]",
  })
  .max(30, "must have at most 30 entries")
  .transform((list) => [...new Set(list)]);

const httpUrl = z.url({
  protocol: /^https?$/,
  error: "must be a URL that begins with https:// or http://",
});

/** A page of another site, or a path of this one. */
const pageLinkField = z.union([httpUrl, z.string().regex(/^\/(?![/\\])\S*$/)], {
  error:
    "must be a URL that begins with https:// or http://, or a path on this site such as /blog/x",
});

const booleanField = z.boolean({ error: "must be true or false" });

const banner = z
  .string({ error: "must be a path or a URL" })
  .refine(
    (value) =>
      /^\.\/[^\\]+$/.test(value) ||
      /^\/[^/\\][^\\]*$/.test(value) ||
      /^https:\/\/[^\s]+$/.test(value),
    "must be a file beside the post (./hero.png), a file in public (/images/hero.png) or an https URL",
  )
  .refine((value) => !value.split("/").includes(".."), "must not leave its folder with ..");

export const frontMatterFields = {
  title: textField("must be text of at least one character", 200),
  date: z
    .string({ error: DATE_RULE })
    .transform((value) => parseCalendarDay(value))
    .refine((day): day is string => day !== null, DATE_RULE),
  description: textField("must be text of at least one character", 600),
  categories: wordListField,
  keywords: wordListField,
  banner,
  bannerCredit: textField("must be text", 600),
  bannerAlt: textField("must be text", 600),
  bannerTitle: textField("must be text", 600),
  translations: z.array(
    z.object(
      {
        language: textField("must name the language, such as Español", 60),
        link: pageLinkField,
        author: z
          .object(
            { name: textField("must be text", 120), link: httpUrl.optional() },
            { error: "must be an author with name and, if there is one, link" },
          )
          .optional(),
      },
      { error: "must be a translation with language, link and, if there is one, author" },
    ),
    { error: "must be a list of translations, each with language and link" },
  ),
  slug: textField("must be text such as my-first-post", 200),
  aliases: z
    .array(textField("must be a path such as /2019/old-address", 500), {
      error: "must be a list of paths, such as [/2019/old-address]",
    })
    .max(100, "must have at most 100 entries")
    .transform((list) => [...new Set(list)]),
  draft: booleanField,
  archived: booleanField,
  unlisted: booleanField,
} as const;

export type FrontMatterField = keyof typeof frontMatterFields;

export const frontMatterFieldNames = Object.keys(frontMatterFields) as FrontMatterField[];

/** Returns the required fields; a page (content/pages) needs no date. */
export const requiredFields = (kind: "post" | "page"): readonly FrontMatterField[] =>
  kind === "post" ? ["title", "date", "description"] : ["title", "description"];

/** Defaults of optional fields, and of all fields in other blogs. */
export const frontMatterDefaults = {
  title: "",
  date: "",
  description: "",
  categories: [] as string[],
  keywords: [] as string[],
  translations: [] as Translation[],
  aliases: [] as string[],
  draft: false,
  archived: false,
  unlisted: false,
};
