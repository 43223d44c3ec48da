// The head of every page: the name, and where one can go.

import { SiteMark } from "./icons.tsx";

export interface NavLink {
  readonly href: string;
  readonly label: string;
}

/** `account` is what stands at the end of the navigation for this reader: log in, or their own page. */
export function SiteHeader({
  name,
  links,
  account,
}: {
  name: string;
  links: readonly NavLink[];
  account?: React.ReactNode;
}) {
  return (
    <header className="site-header wrap">
      <a className="wordmark" href="/">
        <SiteMark />
        {name}
      </a>
      <nav className="site-nav" aria-label="Main">
        <ul>
          {links.map(({ href, label }) => (
            <li key={href}>
              <a href={href}>{label}</a>
            </li>
          ))}
          {account && <li>{account}</li>}
        </ul>
      </nav>
    </header>
  );
}
