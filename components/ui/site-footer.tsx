// Renders the footer: colophon, theme, links.

import type { Messages } from "#lib/core/messages/en.ts";
import type { SiteConfig } from "#lib/core/site-config-schema.ts";
import { ProfileLinks } from "./profile-links.tsx";
import { ThemeControl } from "./theme-control.tsx";
import type { NavLink } from "./site-header.tsx";

/** `children` comes last: the banner of the instance that served the page. */
export function SiteFooter({
  links,
  text,
  license,
  profiles,
  messages,
  children,
}: {
  links: readonly NavLink[];
  text: string;
  license?: { readonly name: string; readonly url: string } | undefined;
  profiles: SiteConfig["social"];
  messages: Messages;
  children?: React.ReactNode;
}) {
  return (
    <footer className="site-footer">
      <div className="wrap">
        <p className="colophon serif">
          {text}
          {license && (
            <>
              {" · "}
              <a href={license.url} rel="license">
                {license.name}
              </a>
            </>
          )}
        </p>
        <div className="footer-end">
          <ThemeControl legend={messages.theme} labels={messages.themes} />
        </div>
        <nav aria-label={messages.moreNavigation}>
          <ul className="footer-links">
            {links.map(({ href, label }) => (
              <li key={href}>
                <a href={href}>{label}</a>
              </li>
            ))}
          </ul>
          <ProfileLinks links={profiles} />
        </nav>
      </div>
      {children}
    </footer>
  );
}
