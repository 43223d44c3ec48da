// Renders the header's link to the account or to the login, and an admin's link to the admin pages.

import type { Messages } from "#lib/core/messages/en.ts";
import type { SessionIds } from "#lib/members/viewer.ts";
import { currentState } from "./site-links.ts";

export function AccountLinks({
  sessionKey,
  showsAdminLink,
  messages,
}: SessionIds & { readonly messages: Messages }) {
  const links = [
    ...(showsAdminLink ? [{ href: "/admin", label: "Admin" }] : []),
    sessionKey === null
      ? { href: "/login", label: messages.logIn }
      : { href: "/me", label: messages.account },
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
