// Renders an email as text and HTML, for light and dark mode.

import { escapeHtml } from "#lib/core/escape-html.ts";
import { env } from "#lib/core/env.ts";
import { DEFAULT_ACCENT } from "#lib/core/color.ts";
import { siteConfig } from "#lib/core/site-config.ts";

/** A post's HTML for feeds, with the text for email clients that show no HTML. */
interface PostPart {
  readonly html: string;
  readonly text: string;
}

/** A paragraph, a link, a code to type, or a post. */
type EmailPart =
  | string
  | {
      readonly link: string;
      readonly label: string;
      /** True for a small text link instead of a button. */
      readonly isSmall?: boolean | undefined;
    }
  | { readonly code: string }
  | PostPart;

export interface EmailMessage {
  readonly to: string;
  readonly subject: string;
  readonly parts: readonly EmailPart[];
  /**
   * URL at which a POST unsubscribes the recipient, for the button in email programs (RFC 8058).
   */
  readonly unsubscribeUrl?: string;
}

function renderPartText(part: EmailPart): string {
  if (typeof part === "string") return part;
  if ("code" in part) return part.code;
  if ("html" in part) return part.text;
  return `${part.label}: ${part.link}`;
}

/** Renders the parts as plain text, separated by blank lines. */
export function renderEmailText({ parts }: Pick<EmailMessage, "parts">): string {
  return `${parts.map(renderPartText).join("\n\n")}\n\n${siteConfig.name}, ${env.SITE_URL}\n`;
}

const PARAGRAPH = "margin:0 0 20px";

function renderPartHtml(part: EmailPart): string {
  if (typeof part === "string")
    return `<p style="${PARAGRAPH}">${escapeHtml(part).replaceAll("\n", "<br>")}</p>`;
  if ("code" in part)
    return `<p style="${PARAGRAPH};font:600 32px/1.2 ui-monospace,Menlo,Consolas,monospace;letter-spacing:6px">${escapeHtml(part.code)}</p>`;
  if ("html" in part) return `<div class="post">${part.html}</div>`;
  const href = escapeHtml(part.link);
  const label = escapeHtml(part.label);
  if (part.isSmall)
    return `<p style="margin:0 0 8px;font-size:14px"><a class="muted" href="${href}" style="color:#5b615e">${label}</a></p>`;
  return `<p style="${PARAGRAPH}"><a class="button" href="${href}" style="display:inline-block;padding:12px 20px;border-radius:3px;background:${(siteConfig.accent ?? DEFAULT_ACCENT).light};color:#ffffff;text-decoration:none;font-weight:600">${label}</a></p>`;
}

/** Email clients without dark mode ignore the media query. `!important` overrides inline styles. */
function renderStyles(): string {
  const { light, dark } = siteConfig.accent ?? DEFAULT_ACCENT;
  return [
    ":root{color-scheme:light dark;supported-color-schemes:light dark}",
    ".post{overflow-wrap:anywhere}",
    ".post img,.post video{max-width:100%;height:auto}",
    ".post h2,.post h3,.post h4{line-height:1.25;margin:32px 0 12px}",
    ".post pre{white-space:pre-wrap;padding:12px;background:#eef0ec;font-size:14px;line-height:1.45}",
    ".post code{font-family:ui-monospace,Menlo,Consolas,monospace;font-size:.9em}",
    ".post pre code{font-size:14px}",
    ".post blockquote{margin:0 0 20px;padding-left:16px;border-left:3px solid #c9cec9}",
    ".post table{border-collapse:collapse;font-size:15px}",
    ".post th,.post td{padding:6px 10px;border:1px solid #c9cec9;text-align:left}",
    ".post figure{margin:0 0 20px}",
    `.post a{color:${light}}`,
    ".post h1 a,.post h2 a,.post h3 a,.post h4 a{color:inherit;text-decoration:none}",
    "@media (prefers-color-scheme:dark){",
    "body,.body{background:#141716 !important;color:#e8eae8 !important}",
    ".muted{color:#a3aaa6 !important}",
    `.post a{color:${dark} !important}`,
    ".post h1 a,.post h2 a,.post h3 a,.post h4 a{color:inherit !important}",
    `.button{background:${dark} !important;color:#141716 !important}`,
    ".post pre{background:#1f2422 !important}",
    ".post blockquote,.post th,.post td{border-color:#3a413e !important}",
    "}",
  ].join("");
}

/**
 * Renders the parts as HTML. The only external resources are a post's images. Their URLs are the
 * same for every recipient, so that opening an email is not tracked.
 */
export function renderEmailHtml({
  parts,
  subject,
}: Pick<EmailMessage, "parts" | "subject">): string {
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark"><meta name="supported-color-schemes" content="light dark"><title>${escapeHtml(subject)}</title><style>${renderStyles()}</style></head><body style="margin:0;background:#fbfbf9"><div class="body" style="max-width:34rem;margin:0 auto;padding:32px 20px;font:16px/1.5 Georgia,serif;color:#191c1b">${parts.map(renderPartHtml).join("")}<p class="muted" style="margin:32px 0 0;font-size:14px;color:#5b615e">${escapeHtml(siteConfig.name)}, <a class="muted" href="${escapeHtml(env.SITE_URL)}" style="color:#5b615e">${escapeHtml(new URL(env.SITE_URL).host)}</a></p></div></body></html>`;
}
