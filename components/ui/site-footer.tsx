// The foot of every page: colophon, the less used links, the theme.

import { ThemeControl } from "./theme-control.tsx";
import type { NavLink } from "./site-header.tsx";

/** `children` comes last, at the very foot: the place for the strip that says which instance answered. */
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
          Set in Newsreader, Instrument Sans and JetBrains Mono. Every page is answered from the
          database beside it.
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
