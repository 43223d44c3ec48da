// Fetches the preview of a link from its oEmbed provider or its page.

import { z } from "zod";
import { AppError } from "#lib/core/errors.ts";
import { fetchJson, fetchText, isFetchableUrl } from "#lib/outbound/fetch/guarded-fetch.ts";
import { classifyLink, type ClassifiedLink } from "./classify-link.ts";
import type { LinkPreview } from "./link-preview.ts";
import { parsePageMetadata, parseQuote } from "./page-metadata.ts";
import { discoveredOembedUrl, providerOembedRequest } from "./oembed-providers.ts";
import { cleanLine, cleanLines } from "./clean-text.ts";

const MAX_TITLE_CHARS = 200;
const MAX_DESCRIPTION_CHARS = 400;
const MAX_NAME_CHARS = 80;

/** An invalid field counts as absent. */
const optionalText = z.string().optional().catch(undefined);
const oembedSchema = z.object({
  title: optionalText,
  author_name: optionalText,
  author_url: optionalText,
  provider_name: optionalText,
  thumbnail_url: optionalText,
  html: optionalText,
});
type OembedResponse = z.output<typeof oembedSchema>;

interface FetchOptions {
  readonly signal?: AbortSignal;
}

function assertSuccess(url: string, status: number): void {
  if (status < 200 || status >= 300)
    throw new AppError("unavailable", `${new URL(url).hostname} responded with status ${status}.`);
}

async function fetchOembed(url: string, { signal }: FetchOptions): Promise<OembedResponse> {
  const response = await fetchJson(url, { signal });
  assertSuccess(url, response.status);
  const parsed = oembedSchema.safeParse(response.data);
  if (!parsed.success)
    throw new AppError("invalid", `The response of ${new URL(url).hostname} is not oEmbed.`);
  return parsed.data;
}

/**
 * Returns the URL if the image may be fetched: https, or a private host that the configuration
 * allows (SSRF).
 */
function allowedImageUrl(text: string | undefined): string | undefined {
  if (!text || text.length > 2_000 || !URL.canParse(text) || !isFetchableUrl(text))
    return undefined;
  const url = new URL(text);
  const isListed = url.port !== "" && url.protocol === "http:"; // isFetchableUrl allows only listed ports
  return url.protocol === "https:" || isListed ? url.href : undefined;
}

function omitUndefined(
  preview: { [Key in keyof LinkPreview]: LinkPreview[Key] | undefined } & {
    title: string;
    url: string;
    kind: LinkPreview["kind"];
  },
): LinkPreview {
  return Object.fromEntries(
    Object.entries(preview).filter(([, value]) => value !== undefined),
  ) as LinkPreview;
}

async function fetchFromProvider(
  url: string,
  link: ClassifiedLink,
  request: { name: string; url: string },
  options: FetchOptions,
): Promise<LinkPreview> {
  const oembed = await fetchOembed(request.url, options);
  const author = cleanLine(oembed.author_name, MAX_NAME_CHARS);
  const common = {
    url,
    kind: link.kind,
    siteName: request.name,
    author,
    playerUrl: link.playerUrl,
    imageUrl: allowedImageUrl(oembed.thumbnail_url),
  };
  if (link.kind === "tweet") {
    const quote = parseQuote(oembed.html ?? "");
    const handle = /^https?:\/\/(?:www\.)?(?:twitter|x)\.com\/(\w{1,20})\/?$/.exec(
      oembed.author_url ?? "",
    )?.[1];
    const description = cleanLines(quote.text, MAX_DESCRIPTION_CHARS);
    if (!description || !author)
      throw new AppError("invalid", "The post has no text or no author.");
    return omitUndefined({
      ...common,
      title: handle ? `${author} (@${handle})` : author,
      description,
      published: cleanLine(quote.published, 40),
    });
  }
  const title = cleanLine(oembed.title, MAX_TITLE_CHARS);
  if (!title) throw new AppError("invalid", `The response of ${request.name} has no title.`);
  return omitUndefined({ ...common, title });
}

async function fetchFromPage(url: string, options: FetchOptions): Promise<LinkPreview> {
  const page = await fetchText(url, {
    accept: "text/html,application/xhtml+xml",
    shouldTruncate: true,
    signal: options.signal,
  });
  assertSuccess(page.url, page.status);
  if (!/^(text\/html|application\/xhtml\+xml)\b/i.test(page.contentType.trim()))
    throw new AppError("invalid", "The link is not a web page.");
  const meta = parsePageMetadata(page.body, page.url);
  // Uses oEmbed only if the page has no title, and only from an allowed host.
  const discovered =
    !meta.title && meta.oembedUrl ? discoveredOembedUrl(page.url, meta.oembedUrl) : null;
  const oembed = discovered ? await fetchOembed(discovered, options) : undefined;
  const title = cleanLine(meta.title ?? oembed?.title, MAX_TITLE_CHARS);
  if (!title)
    throw new AppError("invalid", `The page at ${new URL(page.url).hostname} has no title.`);
  const description = cleanLine(meta.description, MAX_DESCRIPTION_CHARS);
  return omitUndefined({
    url,
    kind: "page",
    title,
    description: description === title ? undefined : description,
    siteName:
      cleanLine(meta.siteName ?? oembed?.provider_name, MAX_NAME_CHARS) ??
      new URL(page.url).hostname.replace(/^www\./, ""),
    author: cleanLine(meta.author ?? oembed?.author_name, MAX_NAME_CHARS),
    imageUrl: allowedImageUrl(meta.imageUrl ?? oembed?.thumbnail_url),
  });
}

/**
 * Fetches the preview of `url`, without `image`. Makes at most two requests of 5 s and 512 kB each.
 * Throws AppError: invalid (not a URL, forbidden, no title), unavailable (no response or an error
 * status), too_large.
 */
export async function fetchLinkPreview(
  url: string,
  options: FetchOptions = {},
): Promise<LinkPreview> {
  const link = classifyLink(url);
  if (!link) throw new AppError("invalid", "This is not an http(s) URL.", { field: "url" });
  const request = providerOembedRequest(link.kind, link.canonicalUrl);
  return request ? fetchFromProvider(url, link, request, options) : fetchFromPage(url, options);
}
