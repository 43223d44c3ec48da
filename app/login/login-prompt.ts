// Why somebody is asked to log in, by where they wanted to go.

import { sanitizeRedirectPath } from "#lib/http/sanitize-redirect-path.ts";

/** One sentence; null for somebody who came to log in and nothing else. `next` is a path of this site. */
export function loginPrompt(next: string): string | null {
  if (next === sanitizeRedirectPath(null)) return null;
  const path = new URL(next, "http://here.invalid").pathname;
  if (path === "/calls/record") return "To leave a call, log in or sign up; you come back here.";
  if (path === "/calls/mine") return "To see your calls, log in; you come back here.";
  if (path.startsWith("/me")) return "For your account, log in or sign up; you come back here.";
  if (path === "/teams") return "To join a team, log in or sign up; you come back here.";
  return "Log in or sign up; you come back to where you were.";
}
