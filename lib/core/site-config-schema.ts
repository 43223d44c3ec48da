// Declares the fields of site.config.ts: their types, defaults and error messages.

import { z } from "zod";
import { TEXT_CONTRAST, THEMES, contrastRatio, BACKGROUNDS, readableShade } from "./color.ts";
import { findDisabledFeature } from "./features.ts";
import { isPodcastCategory } from "./podcast-categories.ts";

const text = (max: number) =>
  z
    .string({ error: "must be text" })
    .trim()
    .min(1, "must not be empty; leave the field out instead")
    .max(max, `must have at most ${max} characters`)
    .refine(
      (value) => !/[\x00-\x1f\x7f]/.test(value),
      "must be one line, without control characters",
    );
const isWebUrl = (value: string) => /^https?:$/.test(URL.parse(value)?.protocol ?? "");
const webUrl = z
  .string({ error: "must be text" })
  .refine(isWebUrl, "must be a full URL such as https://example.com/page");
const isPath = (value: string) => /^\/(?![/\\])\S*$/.test(value);
/** A page of this site, a page elsewhere, or an email address. */
const linkUrl = z
  .string({ error: "must be text" })
  .refine(
    (value) => isPath(value) || isWebUrl(value) || /^mailto:\S+@\S+$/.test(value),
    "must be a path such as /about, a full URL, or mailto:name@example.com",
  );
const picture = z
  .string({ error: "must be text" })
  .refine(
    (value) => isPath(value) || isWebUrl(value),
    "must be a path in public/ such as /portrait.jpg, or a full URL",
  );
const email = z
  .string({ error: "must be text" })
  .regex(/^[^\s<>@]+@[^\s<>@]+$/, "must be an email address such as ada@example.com");
const link = z.strictObject({ label: text(60), url: linkUrl });
const profile = z.strictObject({ label: text(60), url: webUrl });

const urlTemplate = (fields: readonly string[]) =>
  z.string({ error: "must be text" }).superRefine((value, context) => {
    for (const [, name] of value.matchAll(/\{([^}]*)\}/g))
      if (!fields.includes(name!))
        context.addIssue(
          `{${name}} is unknown; use ${fields.map((field) => `{${field}}`).join(", ")}`,
        );
    if (!isWebUrl(value.replace(/\{[^}]*\}/g, "x")) && !/^mailto:/.test(value))
      context.addIssue(`must be a full URL such as https://example.com/x?y={${fields[0]}}`);
  });
const postUrlTemplate = urlTemplate(["url", "slug", "path", "title"]);

const HEX = /^#[0-9a-f]{6}$/i;
const hex = z.string().regex(HEX).toLowerCase();
/**
 * A color, from which the shades for both themes are derived, or one for each theme, whose contrast
 * is checked.
 */
const themeColor = z
  .union([hex, z.strictObject({ light: hex, dark: hex })], {
    error: 'must be a color such as "#1a5b4a", or { light: "#1a5b4a", dark: "#86cbb2" }',
  })
  .transform((value, context) => {
    if (typeof value === "string")
      return { light: readableShade(value, "light"), dark: readableShade(value, "dark") };
    for (const theme of THEMES) {
      const ratio = contrastRatio(value[theme], BACKGROUNDS[theme]);
      if (ratio >= TEXT_CONTRAST) continue;
      context.addIssue({
        code: "custom",
        path: [theme],
        message: `${value[theme]} has a contrast of ${ratio.toFixed(1)} with the ${theme} background, but needs ${TEXT_CONTRAST}; the nearest readable shade is ${readableShade(value[theme], theme)}`,
      });
    }
    return value;
  });

const team = z.strictObject({
  name: text(20).optional(),
  color: themeColor.optional(),
  tagline: text(160).optional(),
});

/** A disc, for a site without a logo. */
const DISC = { path: "M12 6a6 6 0 1 0 0 12a6 6 0 0 0 0-12Z", size: 24 };
const logo = z.strictObject({
  path: z
    .string({ error: "must be text" })
    .regex(
      /^[Mm][MmLlHhVvCcSsQqTtAaZz\d\s,.Ee+-]{1,8000}$/,
      "must be the d attribute of an SVG path, such as M4 4h16v16H4Z",
    ),
  size: z.number({ error: "must be a number" }).positive().max(10_000).default(24),
  stroke: z.number({ error: "must be a number" }).positive().max(1_000).optional(),
});

const fontFamily = z
  .string({ error: "must be text" })
  .regex(/^[\w\s,"'-]{1,200}$/, "must be a CSS font-family list such as Georgia, serif");
const fonts = z.strictObject({
  text: fontFamily.optional(),
  display: fontFamily.optional(),
  sans: fontFamily.optional(),
  mono: fontFamily.optional(),
  files: z
    .array(
      z.strictObject({
        family: z.string().regex(/^[\w -]{1,60}$/, "must be a name such as Inter"),
        file: z
          .string()
          .regex(
            /^\/[\w./-]+\.(woff2|woff|ttf|otf)$/,
            "must be a file in public/ such as /fonts/inter.woff2",
          ),
        weight: z
          .string()
          .regex(/^\d{1,4}( \d{1,4})?$/, 'must be a weight such as "400" or "100 900"')
          .default("400"),
        style: z.enum(["normal", "italic"]).default("normal"),
      }),
    )
    .default([]),
});

const host = z
  .string()
  .regex(
    /^(\*|(\*\.)?[\w-]+(\.[\w-]+)*(:\d+)?)$/,
    "must be a host such as cdn.example.com, or * for any",
  );
const images = z.strictObject({
  hosts: z.array(host).default([]),
  rewrites: z
    .array(
      z.strictObject({
        from: z.string().regex(/^\/\S*\/$/, "must be a path that ends with /, such as /media/"),
        to: webUrl,
        query: z.string().max(200).optional(),
      }),
    )
    .default([]),
});

const content = z.strictObject({
  trust: z
    .enum(["trusted", "strict"], { error: 'must be "trusted" or "strict"' })
    .default("trusted"),
  frontMatter: z.record(z.string(), text(40)).default({}),
  address: z
    .string()
    .regex(
      /^\/\S*:slug$/,
      "must be a path that ends with :slug, such as /blog/:slug or /:year/:month/:slug",
    )
    .default("/blog/:slug"),
  redirects: text(200).default("content/_redirects"),
  drafts: z
    .enum(["public", "private"], { error: 'must be "public" or "private"' })
    .default("public"),
});

const CATEGORIES_RULE = "must be a category, or a list of one to three";
const podcastCategories = z
  .union([z.string(), z.array(z.string())], { error: CATEGORIES_RULE })
  .default("Technology")
  .transform((value, context) => {
    const names = [value].flat();
    if (names.length < 1 || names.length > 3) context.addIssue(CATEGORIES_RULE);
    return names.map((name) => {
      const [category = "", subcategory, ...rest] = name.trim().split(/\s*>\s*/);
      if (rest.length > 0 || !isPodcastCategory(category, subcategory))
        context.addIssue(
          `"${name}" is not a category of podcast directories; use one such as Technology or "Society & Culture > Documentary" (podcasters.apple.com/support/1691)`,
        );
      return { category, subcategory };
    });
  });

const podcast = z.strictObject({
  title: text(100).optional(),
  description: text(4_000).optional(),
  owner: z.strictObject({ name: text(100), email }).optional(),
  category: podcastCategories,
  guid: z
    .guid(
      "must be the podcast:guid of your earlier feed, such as 9b024349-ccf0-5f69-a609-6b82873eab3c",
    )
    .toLowerCase()
    .optional(),
  artwork: picture.default("/icon-1500.png"),
  directories: z.array(profile).default([]),
});

const permission = z.boolean({ error: "must be true or false" });
const feature = permission.default(true);

const withDefaults = <T extends z.ZodObject>(schema: T) => schema.prefault({} as z.input<T>);

export const siteConfigSchema = z
  .strictObject({
    name: text(60).default("Lectern"),
    description: text(300).default("A personal site."),
    language: z
      .string({ error: "must be text" })
      .refine((value) => {
        try {
          return Intl.getCanonicalLocales(value).length === 1;
        } catch {
          return false;
        }
      }, "must be a language tag such as en, de or pt-BR")
      .default("en"),
    author: withDefaults(
      z.strictObject({
        /** Default: the site's name. */
        name: text(60).optional(),
        bio: text(600).optional(),
        portrait: picture.optional(),
        email: email.optional(),
        links: z.array(profile).default([]),
      }),
    ),
    /** Without a title, the description; without an intro, the author's bio. */
    home: withDefaults(
      z.strictObject({ title: text(120).optional(), intro: text(600).optional() }),
    ),
    header: withDefaults(z.strictObject({ links: z.array(link).max(8).optional() })),
    footer: withDefaults(
      z.strictObject({ links: z.array(link).max(24).optional(), text: text(300).optional() }),
    ),
    social: z.array(profile).default([]),
    license: z.strictObject({ name: text(80), url: webUrl }).optional(),
    discussUrl: postUrlTemplate.optional(),
    editUrl: postUrlTemplate.optional(),
    newPostUrl: urlTemplate(["file", "text"]).optional(),
    teams: withDefaults(
      z.strictObject({ RED: team.optional(), BLUE: team.optional(), YELLOW: team.optional() }),
    ),
    accent: themeColor.optional(),
    /** Drawn in one color, in a square of `size` units: filled, or as lines `stroke` units wide. */
    logo: logo.default(DISC),
    fonts: withDefaults(fonts),
    podcast: withDefaults(podcast),
    images: withDefaults(images),
    content: withDefaults(content),
    /** By topic, ignoring case. */
    topics: z
      .record(
        z.string(),
        z.strictObject({ title: text(80).optional(), text: text(1_000).optional() }),
      )
      .default({}),
    /** A missing field makes no statement. */
    contentSignals: withDefaults(
      z.strictObject({
        search: permission.optional(),
        aiInput: permission.optional(),
        aiTraining: permission.optional(),
      }),
    ),
    features: withDefaults(
      z.strictObject({ teams: feature, calls: feature, members: feature, newsletter: feature }),
    ),
  })
  .transform((config) => ({
    ...config,
    author: { ...config.author, name: config.author.name ?? config.name },
    features: {
      members: config.features.members,
      // Only members have teams and leave calls. The newsletter needs the admin pages.
      teams: config.features.teams && config.features.members,
      calls: config.features.calls && config.features.members,
      newsletter: config.features.newsletter && config.features.members,
    },
  }))
  .superRefine(({ header, footer, features }, context) => {
    for (const [place, { links = [] }] of Object.entries({ header, footer }))
      for (const [index, { url }] of links.entries()) {
        const disabled = findDisabledFeature(url.split(/[?#]/)[0]!, features);
        if (disabled)
          context.addIssue({
            code: "custom",
            path: [place, "links", index, "url"],
            message: `${url} doesn't exist because features.${disabled} is off; remove the link`,
          });
      }
  });

/** What site.config.ts exports. */
export type SiteConfigInput = z.input<typeof siteConfigSchema>;
/** The parsed configuration, with defaults. */
export type SiteConfig = Readonly<z.output<typeof siteConfigSchema>>;
