// Describes a post as structured data (schema.org BlogPosting).

import type { Post } from "./post.ts";
import { formatModification, formatPublication } from "./post-dates.ts";
import { absoluteUrl, postUrl, type SiteMetadata, socialImageUrl } from "./site-metadata.ts";

/** Search engines truncate longer headlines. */
const MAX_HEADLINE = 110;

/** Returns the BlogPosting of a post. A date is a calendar day if the author wrote no time. */
export function createBlogPosting(post: Post, site: SiteMetadata): Record<string, unknown> {
  const { title, description, categories, keywords, lang, series } = post.frontMatter;
  const url = postUrl(site, post);
  const hero = post.hero && absoluteUrl(post.hero.src, site.url);
  const person = {
    "@type": "Person",
    name: site.author,
    url: `${site.url}/about`,
    ...(site.portrait && { image: absoluteUrl(site.portrait, site.url) }),
    ...(site.profiles && site.profiles.length > 0 && { sameAs: site.profiles }),
  };
  const blog = { "@type": "Blog", "@id": `${site.url}/blog`, name: site.name };
  return {
    "@context": "https://schema.org",
    "@type": "BlogPosting",
    "@id": url,
    url,
    mainEntityOfPage: { "@type": "WebPage", "@id": url },
    headline: [...title].slice(0, MAX_HEADLINE).join(""),
    description,
    datePublished: formatPublication(post),
    dateModified: formatModification(post),
    inLanguage: lang ?? site.language,
    wordCount: post.compiled.words,
    timeRequired: `PT${post.compiled.readingMinutes}M`,
    image: [socialImageUrl(site, post), ...(hero ? [hero] : [])],
    author: person,
    publisher: person,
    isPartOf: series ? [blog, { "@type": "CreativeWorkSeries", name: series.name }] : blog,
    ...(series?.part !== undefined && { position: series.part }),
    ...(site.license && { license: site.license }),
    ...(categories.length > 0 && { articleSection: categories }),
    ...(keywords.length > 0 && { keywords: keywords.join(", ") }),
  };
}

/** Returns JSON that cannot close its <script> element, which prevents XSS. */
export function serializeForScript(data: unknown): string {
  return JSON.stringify(data).replace(
    /[<>&\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}
