// Lists the links of the header and the footer: the owner's, or those of the pages that exist.

import type { NavLink } from "#components/ui/site-header.tsx";
import { currentRequestContext } from "#lib/core/request-context.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { hasPage } from "#lib/posts/catalog/site-catalog.ts";
import { FEED_PATHS } from "#lib/posts/feeds/feed-paths.ts";

const toNavLinks = (links: readonly { label: string; url: string }[]): NavLink[] =>
  links.map(({ label, url }) => ({ label, href: url }));

function pageLinks(): NavLink[] {
  const { calls, teams } = siteConfig.features;
  return [
    { href: "/blog", label: "Posts" },
    ...(calls ? [{ href: "/calls", label: "Calls" }] : []),
    ...(teams ? [{ href: "/teams", label: "Teams" }] : []),
    { href: "/about", label: "About" },
  ];
}

/**
 * Returns the links of the header, with the current one marked. A shared page is always rendered at
 * the same path.
 */
export function headerLinks(): NavLink[] {
  const { links } = siteConfig.header;
  return (links ? toNavLinks(links) : pageLinks()).map((link) => ({
    ...link,
    current: currentState(link.href),
  }));
}

/** Returns the value of aria-current for a link to `href` on the page that is being rendered. */
export function currentState(href: string): NavLink["current"] {
  const path = currentRequestContext()?.request.url?.split("?")[0] ?? "";
  return path === href ? "page" : path.startsWith(`${href}/`) ? "true" : undefined;
}

export function footerLinks(): NavLink[] {
  const { links } = siteConfig.footer;
  if (links) return toNavLinks(links);
  return [
    ...pageLinks(),
    ...(hasPage("how-we-count") ? [{ href: "/how-we-count", label: "How we count" }] : []),
    ...(siteConfig.features.newsletter ? [{ href: "/subscribe", label: "Subscribe" }] : []),
    { href: "/contact", label: "Contact" },
    { href: "/privacy", label: "Privacy" },
    { href: FEED_PATHS.rss, label: "RSS" },
    { href: FEED_PATHS.atom, label: "Atom" },
    { href: FEED_PATHS.json, label: "JSON Feed" },
  ];
}
