// Lists the links of the header and the footer: the owner's, or those of the pages that exist.

import type { NavLink } from "#components/ui/site-header.tsx";
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

export function headerLinks(): NavLink[] {
  const { links } = siteConfig.header;
  return links ? toNavLinks(links) : pageLinks();
}

export function footerLinks(): NavLink[] {
  const { links } = siteConfig.footer;
  if (links) return toNavLinks(links);
  return [
    ...pageLinks(),
    ...(hasPage("how-we-count") ? [{ href: "/how-we-count", label: "How we count" }] : []),
    { href: "/contact", label: "Contact" },
    { href: "/privacy", label: "Privacy" },
    { href: FEED_PATHS.rss, label: "RSS" },
    { href: FEED_PATHS.atom, label: "Atom" },
    { href: FEED_PATHS.json, label: "JSON Feed" },
  ];
}
