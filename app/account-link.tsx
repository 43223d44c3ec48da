// Renders the header's link to the account or to the login.

import { currentState } from "./site-links.ts";

export function AccountLink({ isLoggedIn }: { isLoggedIn: boolean }) {
  const href = isLoggedIn ? "/me" : "/login";
  return (
    <a href={href} aria-current={currentState(href)}>
      {isLoggedIn ? "Account" : "Log in"}
    </a>
  );
}
