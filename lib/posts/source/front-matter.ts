// Defines the front matter of a post: fields, validation, defaults.

import { z } from "zod";
import { DATE_RULE, parseWrittenDate } from "./front-matter-date.ts";

export interface Translation {
  /** The language's own name, as shown to readers. */
  readonly language: string;
  readonly link: string;
  readonly author?: { readonly name: string; readonly link?: string };
}

/** A post's place in a series. Without a part, the posts of a series are ordered by date. */
export interface SeriesPart {
  readonly name: string;
  readonly part?: number;
}

export interface FrontMatter {
  readonly title: string;
  /** The calendar day as written, YYYY-MM-DD. Empty for a page without a date. */
  readonly date: string;
  /** The instant of `date` in Unix ms, if it has a time. */
  readonly dateMs?: number;
  /** The calendar day of the last change that the author names, YYYY-MM-DD. */
  readonly updated?: string;
  /** The instant of `updated` in Unix ms, if it has a time. */
  readonly updatedMs?: number;
  /** Plain text. A compiled post without one has its first paragraph. */
  readonly description: string;
  readonly categories: string[];
  readonly keywords: string[];
  /** './hero.png' next to the post, '/images/…' in public, or an https URL. */
  readonly banner?: string;
  readonly bannerCredit?: string;
  readonly bannerAlt?: string;
  readonly bannerTitle?: string;
  readonly translations: Translation[];
  /** The address that the author chose, instead of the file's name. */
  readonly slug?: string;
  /** Earlier addresses of the post: paths, or URLs of another host. */
  readonly aliases: string[];
  readonly series?: SeriesPart;
  /** The language's BCP 47 tag. Without one, the site's language. */
  readonly lang?: string;
  /** The slug of the post that this one translates. */
  readonly translationOf?: string;
  readonly draft: boolean;
  readonly archived: boolean;
  readonly unlisted: boolean;
}

const textField = (rule: string, max: number) =>
  z
    .string({ error: rule })
    .transform((value) => value.replace(/\s+/g, " ").trim())
    .refine((value) => value.length > 0, rule)
    .refine((value) => value.length <= max, `must have at most ${max} characters`);

const wordListField = z
  .array(textField("must be text", 60), {
    error: "must be a list of strings, such as [sqlite, caching]",
  })
  .max(30, "must have at most 30 entries")
  .transform((list) => [...new Set(list)]);

const httpUrl = z.url({
  protocol: /^https?$/,
  error: "must be a URL that starts with https:// or http://",
});

/** A page of another site, or a path of this one. */
const pageLinkField = z.union([httpUrl, z.string().regex(/^\/(?![/\\])\S*$/)], {
  error:
    "must be a URL that starts with https:// or http://, or a path on this site such as /blog/x",
});

const booleanField = z.boolean({ error: "must be true or false" });

const dateField = z
  .union([z.string(), z.date()], { error: DATE_RULE })
  .transform(parseWrittenDate)
  .refine((date) => date !== null, DATE_RULE);

const banner = z
  .string({ error: "must be a path or a URL" })
  .refine(
    (value) =>
      /^\.\/[^\\]+$/.test(value) ||
      /^\/[^/\\][^\\]*$/.test(value) ||
      /^https:\/\/[^\s]+$/.test(value),
    "must be a file next to the post (./hero.png), a file in public (/images/hero.png) or an https URL",
  )
  .refine((value) => !value.split("/").includes(".."), "must not contain ..");

const LANG_RULE = "must be a language tag such as en, pt-BR or ar";
const langField = z
  .string({ error: LANG_RULE })
  .transform((value) => {
    try {
      return Intl.getCanonicalLocales(value.trim().replaceAll("_", "-"))[0] ?? "";
    } catch {
      return "";
    }
  })
  .refine((tag) => tag !== "", LANG_RULE);

const translationsField = z.array(
  z.object(
    {
      language: textField("must name the language, such as Español", 60),
      link: pageLinkField,
      author: z
        .object(
          { name: textField("must be text", 120), link: httpUrl.optional() },
          { error: "must be an author with a name and, optionally, a link" },
        )
        .optional(),
    },
    { error: "must be a translation with a language, a link and, optionally, an author" },
  ),
  { error: "must be a list of translations, each with a language and a link" },
);

const PART_RULE = "must be a whole number from 0 to 9999";

export const frontMatterFields = {
  title: textField("must be text of at least one character", 200),
  date: dateField,
  updated: dateField,
  description: textField("must be text of at least one character", 600),
  categories: wordListField,
  keywords: wordListField,
  banner,
  bannerCredit: textField("must be text", 600),
  bannerAlt: textField("must be text", 600),
  bannerTitle: textField("must be text", 600),
  translations: translationsField,
  slug: textField("must be text such as my-first-post", 200),
  aliases: z
    .array(textField("must be a path such as /2019/old-address", 500), {
      error: "must be a list of paths, such as [/2019/old-address]",
    })
    .max(100, "must have at most 100 entries")
    .transform((list) => [...new Set(list)]),
  series: z.object(
    {
      name: textField("must be text of at least one character", 120),
      part: z
        .number({ error: PART_RULE })
        .int(PART_RULE)
        .min(0, PART_RULE)
        .max(9999, PART_RULE)
        .optional(),
    },
    { error: "must be the name of a series, or a series with a name and a part" },
  ),
  lang: langField,
  translationOf: textField("must be the slug of the post that it translates", 200),
  draft: booleanField,
  archived: booleanField,
  unlisted: booleanField,
} as const;

export type FrontMatterField = keyof typeof frontMatterFields;

export const frontMatterFieldNames = Object.keys(frontMatterFields) as FrontMatterField[];

/** Returns the required fields; a page (content/pages) needs no date. */
export const requiredFields = (kind: "post" | "page"): readonly FrontMatterField[] =>
  kind === "post" ? ["title", "date"] : ["title"];

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
