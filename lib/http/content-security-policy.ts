// What pages may load and run. Members' and admins' pages get a policy with a nonce; what is the same for every reader can't have one.

import { createHash } from "node:crypto";
import { THEME_SCRIPT } from "./theme-script.ts";

/** Where a policy with a nonce stands: pages that show or change what belongs to somebody. middleware.ts and next.config.mjs both go by it. */
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

/** The policy of a member's page: scripts run with this nonce or are loaded by one that does; nothing comes from elsewhere. */
export function buildMemberPolicy(nonce: string, isDevelopment: boolean): string {
  return [
    "default-src 'self'",
    `script-src 'self' 'nonce-${nonce}' 'strict-dynamic' ${themeScriptHash}${isDevelopment ? " 'unsafe-eval'" : ""}`,
    // Attributes of style are part of how pages are written; they can't run anything.
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
