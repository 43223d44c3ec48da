// Renders the header: site name and navigation.

import type { Messages } from "#lib/core/messages/en.ts";
import { SearchIcon } from "./icons.tsx";
import { SiteMark } from "./logo.tsx";

export interface NavLink {
  readonly href: string;
  readonly label: string;
  /** The page itself, or the section that it belongs to. */
  readonly current?: "page" | "true" | undefined;
}

/** `account` is the link to the login or the account; it precedes the search. */
export function SiteHeader({
  name,
  links,
  account,
  messages,
}: {
  name: string;
  links: readonly NavLink[];
  messages: Messages;
  account?: React.ReactNode;
}) {
  return (
    <header className="site-header wrap">
      <a className="wordmark" href="/">
        <SiteMark />
        {name}
      </a>
      <nav className="site-nav" aria-label={messages.mainNavigation}>
        <ul>
          {links.map(({ href, label, current }) => (
            <li key={href}>
              <a href={href} aria-current={current}>
                {label}
              </a>
            </li>
          ))}
          {account && <li>{account}</li>}
          <li>
            <a
              href="/search"
              className="search-link"
              data-search=""
              aria-label={messages.search}
              aria-keyshortcuts="Control+K"
            >
              <SearchIcon />
            </a>
          </li>
        </ul>
      </nav>
    </header>
  );
}
