// Renders an email as text and HTML.

import { escapeHtml } from "#lib/core/escape-html.ts";
import { env } from "#lib/core/env.ts";
import { siteConfig } from "#lib/core/site-config.ts";

/** A paragraph, a link, or a code to type. */
type EmailPart =
  string | { readonly link: string; readonly label: string } | { readonly code: string };

export interface EmailMessage {
  readonly to: string;
  readonly subject: string;
  readonly parts: readonly EmailPart[];
  /**
   * URL at which a POST unsubscribes the recipient, for the button in email programs (RFC 8058).
   */
  readonly unsubscribeUrl?: string;
}

/** Renders the parts as plain text, separated by blank lines. */
export function renderEmailText({ parts }: EmailMessage): string {
  return `${parts.map((part) => (typeof part === "string" ? part : "code" in part ? part.code : `${part.label}: ${part.link}`)).join("\n\n")}\n\n${siteConfig.name}, ${env.SITE_URL}\n`;
}

/**
 * Renders the parts as HTML without external resources, so that opening the email can't be tracked.
 */
export function renderEmailHtml({ parts, subject }: EmailMessage): string {
  const body = parts.map((part) => {
    if (typeof part === "string")
      return `<p style="margin:0 0 20px">${escapeHtml(part).replaceAll("\n", "<br>")}</p>`;
    if ("code" in part)
      return `<p style="margin:0 0 20px;font:600 32px/1.2 ui-monospace,Menlo,Consolas,monospace;letter-spacing:6px">${escapeHtml(part.code)}</p>`;
    return `<p style="margin:0 0 20px"><a href="${escapeHtml(part.link)}" style="display:inline-block;padding:12px 20px;border-radius:3px;background:${siteConfig.accent?.light ?? "#1a5b4a"};color:#ffffff;text-decoration:none;font-weight:600">${escapeHtml(part.label)}</a></p>`;
  });
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(subject)}</title></head><body style="margin:0;background:#fbfbf9"><div style="max-width:34rem;margin:0 auto;padding:32px 20px;font:16px/1.5 Georgia,serif;color:#191c1b">${body.join("")}<p style="margin:32px 0 0;font-size:14px;color:#5b615e">${escapeHtml(siteConfig.name)}, <a href="${escapeHtml(env.SITE_URL)}" style="color:#5b615e">${escapeHtml(new URL(env.SITE_URL).host)}</a></p></div></body></html>`;
}
