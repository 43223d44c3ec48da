// Renders the footer: colophon, theme, links.

import { ThemeControl } from "./theme-control.tsx";
import type { NavLink } from "./site-header.tsx";

/** `children` comes last: the banner of the instance that served the page. */
export function SiteFooter({
  links,
  children,
}: {
  links: readonly NavLink[];
  children?: React.ReactNode;
}) {
  return (
    <footer className="site-footer">
      <div className="wrap">
        <p className="colophon serif">
          Set in Newsreader, Instrument Sans and JetBrains Mono. Every page is served from the
          database next to it.
        </p>
        <div className="footer-end">
          <ThemeControl />
        </div>
        <nav aria-label="More">
          <ul className="footer-links">
            {links.map(({ href, label }) => (
              <li key={href}>
                <a href={href}>{label}</a>
              </li>
            ))}
          </ul>
        </nav>
      </div>
      {children}
    </footer>
  );
}
