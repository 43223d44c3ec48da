// Renders links to a person's profiles elsewhere, which sites verify by rel="me".

import type { SiteConfig } from "#lib/core/site-config-schema.ts";

export function ProfileLinks({
  links,
  email,
}: {
  links: SiteConfig["social"];
  email?: string | undefined;
}) {
  if (links.length === 0 && !email) return null;
  return (
    <ul className="profile-links">
      {links.map(({ label, url }) => (
        <li key={url}>
          <a href={url} rel="me">
            {label}
          </a>
        </li>
      ))}
      {email && (
        <li>
          <a href={`mailto:${email}`} rel="me">
            Email
          </a>
        </li>
      )}
    </ul>
  );
}
