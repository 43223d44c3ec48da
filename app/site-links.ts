// Lists the links of the header and the footer: the owner's, or those of the pages that exist.

import type { NavLink } from "#components/ui/site-header.tsx";
import { currentRequestContext } from "#lib/core/request-context.ts";
import type { Messages } from "#lib/core/messages/en.ts";
import { siteConfig } from "#lib/core/site-config.ts";
import { hasPage } from "#lib/posts/catalog/site-catalog.ts";
import { FEED_PATHS } from "#lib/posts/feeds/feed-paths.ts";

const toNavLinks = (links: readonly { label: string; url: string }[]): NavLink[] =>
  links.map(({ label, url }) => ({ label, href: url }));

const listPageLinks = (paths: readonly (string | false)[], { pages }: Messages): NavLink[] =>
  paths.filter((path) => path !== false).map((href) => ({ href, label: pages[href] ?? href }));

function mainPaths(): (string | false)[] {
  const { calls, teams } = siteConfig.features;
  return ["/blog", calls && "/calls", teams && "/teams", "/about"];
}

/**
 * Returns the links of the header, with the current one marked. A shared page is always rendered at
 * the same path. The owner's labels are not translated.
 */
export function headerLinks(messages: Messages): NavLink[] {
  const { links } = siteConfig.header;
  return (links ? toNavLinks(links) : listPageLinks(mainPaths(), messages)).map((link) => ({
    ...link,
    current: currentState(link.href),
  }));
}

/** Returns the value of aria-current for a link to `href` on the page that is being rendered. */
export function currentState(href: string): NavLink["current"] {
  const path = currentRequestContext()?.request.url?.split("?")[0] ?? "";
  return path === href ? "page" : path.startsWith(`${href}/`) ? "true" : undefined;
}

export function footerLinks(messages: Messages): NavLink[] {
  const { links } = siteConfig.footer;
  if (links) return toNavLinks(links);
  return [
    ...listPageLinks(
      [
        ...mainPaths(),
        hasPage("how-we-count") && "/how-we-count",
        siteConfig.features.newsletter && "/subscribe",
        "/contact",
        "/privacy",
      ],
      messages,
    ),
    { href: FEED_PATHS.rss, label: "RSS" },
    { href: FEED_PATHS.atom, label: "Atom" },
    { href: FEED_PATHS.json, label: "JSON Feed" },
  ];
}
