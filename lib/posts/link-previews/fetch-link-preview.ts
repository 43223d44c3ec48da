// Asks a provider or a page what a link is about.

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

/** A field that is not what it should be is as good as absent: it never costs the card. */
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
    throw new AppError(
      "unavailable",
      `${new URL(url).hostname} answered with the status ${status}.`,
    );
}

async function fetchOembed(url: string, { signal }: FetchOptions): Promise<OembedResponse> {
  const answer = await fetchJson(url, { signal });
  assertSuccess(url, answer.status);
  const parsed = oembedSchema.safeParse(answer.data);
  if (!parsed.success)
    throw new AppError(
      "invalid",
      `${new URL(url).hostname} answered with something that is not oEmbed.`,
    );
  return parsed.data;
}

/** A picture that may be fetched later, over https, or where the configuration allows a private host. */
function allowedImageUrl(text: string | undefined): string | undefined {
  if (!text || text.length > 2_000 || !URL.canParse(text) || !isFetchableUrl(text))
    return undefined;
  const url = new URL(text);
  const isListed = url.port !== "" && url.protocol === "http:"; // isFetchableUrl lets another port pass only if it is listed
  return url.protocol === "https:" || isListed ? url.href : undefined;
}

/** Without the fields that have nothing to say. */
function omitUndefined(
  embed: { [Key in keyof LinkPreview]: LinkPreview[Key] | undefined } & {
    title: string;
    url: string;
    kind: LinkPreview["kind"];
  },
): LinkPreview {
  return Object.fromEntries(
    Object.entries(embed).filter(([, value]) => value !== undefined),
  ) as LinkPreview;
}

async function fetchFromProvider(
  url: string,
  link: ClassifiedLink,
  request: { name: string; url: string },
  options: FetchOptions,
): Promise<LinkPreview> {
  const answer = await fetchOembed(request.url, options);
  const author = cleanLine(answer.author_name, MAX_NAME_CHARS);
  const common = {
    url,
    kind: link.kind,
    siteName: request.name,
    author,
    playerUrl: link.playerUrl,
    imageUrl: allowedImageUrl(answer.thumbnail_url),
  };
  if (link.kind === "tweet") {
    const quote = parseQuote(answer.html ?? "");
    const handle = /^https?:\/\/(?:www\.)?(?:twitter|x)\.com\/(\w{1,20})\/?$/.exec(
      answer.author_url ?? "",
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
  const title = cleanLine(answer.title, MAX_TITLE_CHARS);
  if (!title) throw new AppError("invalid", `${request.name} names no title.`);
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
    throw new AppError("invalid", "The link leads to something that is not a web page.");
  const meta = parsePageMetadata(page.body, page.url);
  // A second stage only where the page itself says too little, and only to a host that it may speak for.
  const discovered =
    !meta.title && meta.oembedUrl ? discoveredOembedUrl(page.url, meta.oembedUrl) : null;
  const oembed = discovered ? await fetchOembed(discovered, options) : undefined;
  const title = cleanLine(meta.title ?? oembed?.title, MAX_TITLE_CHARS);
  if (!title) throw new AppError("invalid", `${new URL(page.url).hostname} names no title.`);
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
 * The data of a card for `url`, from the network; `image` is not filled. At most two requests of 5 s and 512 kB each.
 * Throws AppError: invalid (no URL, refused, nothing to show), unavailable (no or a broken answer), too_large.
 */
export async function fetchLinkPreview(
  url: string,
  options: FetchOptions = {},
): Promise<LinkPreview> {
  const link = classifyLink(url);
  if (!link)
    throw new AppError("invalid", "This is not a URL that can become a card.", { field: "url" });
  const request = providerOembedRequest(link.kind, link.canonicalUrl);
  return request ? fetchFromProvider(url, link, request, options) : fetchFromPage(url, options);
}
