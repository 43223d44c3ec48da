// Builds the Content-Security-Policy (CSP) of member pages, with a nonce against XSS. Static pages
// are cached, so they can't have a nonce.

import { createHash } from "node:crypto";
import { THEME_SCRIPT } from "./theme-script.ts";

/**
 * Path prefixes of pages that show or change a member's data. middleware.ts applies the policy to
 * them.
 */
export const MEMBER_PAGES = [
  "login",
  "signup",
  "me",
  "calls/record",
  "calls/mine",
  "admin",
  "dev",
] as const;

const themeScriptHash = `'sha256-${createHash("sha256").update(THEME_SCRIPT).digest("base64")}'`;

/**
 * Returns a policy that allows scripts with this nonce and the scripts they load. Everything else
 * must come from this origin.
 */
export function buildMemberPolicy(nonce: string, isDevelopment: boolean): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic' ${themeScriptHash}${isDevelopment ? " 'unsafe-eval'" : ""}`,
    // Pages use style attributes, which can't run code.
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "media-src 'self' blob:",
    `connect-src 'self'${isDevelopment ? " ws:" : ""}`,
    "worker-src 'self' blob:",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-src 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
  ].join("; ");
}
