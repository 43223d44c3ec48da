// Renders the header's link to the account or to the login, and an admin's link to the admin pages.

import type { Messages } from "#lib/core/messages/en.ts";
import { currentState } from "./site-links.ts";

export function AccountLinks({
  isLoggedIn,
  showsAdminLink,
  messages,
}: {
  readonly isLoggedIn: boolean;
  readonly showsAdminLink?: boolean | undefined;
  readonly messages: Messages;
}) {
  const links = isLoggedIn
    ? [
        ...(showsAdminLink ? [{ href: "/admin", label: "Admin" }] : []),
        { href: "/me", label: messages.account },
      ]
    : [{ href: "/login", label: messages.logIn }];
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
