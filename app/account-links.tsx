// Renders the header's link to the account or to the login, and an admin's link to the admin pages.

import type { SessionIds } from "#lib/members/viewer.ts";
import { currentState } from "./site-links.ts";

export function AccountLinks({ sessionKey, showsAdminLink }: SessionIds) {
  const links = [
    ...(showsAdminLink ? [{ href: "/admin", label: "Admin" }] : []),
    sessionKey === null ? { href: "/login", label: "Log in" } : { href: "/me", label: "Account" },
  ];
  return (
    <span className="account-links">
      {links.map(({ href, label }) => (
        <a key={href} href={href} aria-current={currentState(href)}>
          {label}
        </a>
      ))}
    </span>
  );
}
