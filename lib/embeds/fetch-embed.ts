// Asks a provider or a page what a link is about.

import { z } from "zod";
import { AppError } from "../base/errors.ts";
import { fetchJson, fetchText, isFetchableUrl } from "../fetch/fetch.ts";
import { classify, type Link } from "./classify.ts";
import type { Embed } from "./embed.ts";
import { readMetadata, readQuote } from "./metadata.ts";
import { discoveredRequest, providerRequest } from "./providers.ts";
import { cleanLine, cleanLines } from "./text.ts";

const MAX_TITLE = 200;
const MAX_DESCRIPTION = 400;
const MAX_NAME = 80;

/** A field that is not what it should be is as good as absent: it never costs the card. */
const text = z.string().optional().catch(undefined);
const oembedSchema = z.object({
  title: text,
  author_name: text,
  author_url: text,
  provider_name: text,
  thumbnail_url: text,
  html: text,
});
type Oembed = z.output<typeof oembedSchema>;

interface Options {
  readonly signal?: AbortSignal;
}

function requireSuccess(url: string, status: number): void {
  if (status < 200 || status >= 300)
    throw new AppError(
      "unavailable",
      `${new URL(url).hostname} answered with the status ${status}.`,
    );
}

async function askOembed(url: string, { signal }: Options): Promise<Oembed> {
  const answer = await fetchJson(url, { signal });
  requireSuccess(url, answer.status);
  const parsed = oembedSchema.safeParse(answer.data);
  if (!parsed.success)
    throw new AppError(
      "invalid",
      `${new URL(url).hostname} answered with something that is not oEmbed.`,
    );
  return parsed.data;
}

/** A picture that may be fetched later, over https, or where the configuration allows a private host. */
function imageUrl(text: string | undefined): string | undefined {
  if (!text || text.length > 2_000 || !URL.canParse(text) || !isFetchableUrl(text))
    return undefined;
  const url = new URL(text);
  const isListed = url.port !== "" && url.protocol === "http:"; // isFetchableUrl lets another port pass only if it is listed
  return url.protocol === "https:" || isListed ? url.href : undefined;
}

/** Without the fields that have nothing to say. */
function compact(
  embed: { [Key in keyof Embed]: Embed[Key] | undefined } & {
    title: string;
    url: string;
    kind: Embed["kind"];
  },
): Embed {
  return Object.fromEntries(
    Object.entries(embed).filter(([, value]) => value !== undefined),
  ) as Embed;
}

async function fromProvider(
  url: string,
  link: Link,
  request: { name: string; url: string },
  options: Options,
): Promise<Embed> {
  const answer = await askOembed(request.url, options);
  const author = cleanLine(answer.author_name, MAX_NAME);
  const common = {
    url,
    kind: link.kind,
    siteName: request.name,
    author,
    playerUrl: link.playerUrl,
    imageUrl: imageUrl(answer.thumbnail_url),
  };
  if (link.kind === "tweet") {
    const quote = readQuote(answer.html ?? "");
    const handle = /^https?:\/\/(?:www\.)?(?:twitter|x)\.com\/(\w{1,20})\/?$/.exec(
      answer.author_url ?? "",
    )?.[1];
    const description = cleanLines(quote.text, MAX_DESCRIPTION);
    if (!description || !author)
      throw new AppError("invalid", "The post has no text or no author.");
    return compact({
      ...common,
      title: handle ? `${author} (@${handle})` : author,
      description,
      published: cleanLine(quote.published, 40),
    });
  }
  const title = cleanLine(answer.title, MAX_TITLE);
  if (!title) throw new AppError("invalid", `${request.name} names no title.`);
  return compact({ ...common, title });
}

async function fromPage(url: string, options: Options): Promise<Embed> {
  const page = await fetchText(url, {
    accept: "text/html,application/xhtml+xml",
    truncate: true,
    signal: options.signal,
  });
  requireSuccess(page.url, page.status);
  if (!/^(text\/html|application\/xhtml\+xml)\b/i.test(page.contentType.trim()))
    throw new AppError("invalid", "The link leads to something that is not a web page.");
  const meta = readMetadata(page.body, page.url);
  // A second stage only where the page itself says too little, and only to a host that it may speak for.
  const discovered =
    !meta.title && meta.oembedUrl ? discoveredRequest(page.url, meta.oembedUrl) : null;
  const oembed = discovered ? await askOembed(discovered, options) : undefined;
  const title = cleanLine(meta.title ?? oembed?.title, MAX_TITLE);
  if (!title) throw new AppError("invalid", `${new URL(page.url).hostname} names no title.`);
  const description = cleanLine(meta.description, MAX_DESCRIPTION);
  return compact({
    url,
    kind: "page",
    title,
    description: description === title ? undefined : description,
    siteName:
      cleanLine(meta.siteName ?? oembed?.provider_name, MAX_NAME) ??
      new URL(page.url).hostname.replace(/^www\./, ""),
    author: cleanLine(meta.author ?? oembed?.author_name, MAX_NAME),
    imageUrl: imageUrl(meta.imageUrl ?? oembed?.thumbnail_url),
  });
}

/**
 * The data of a card for `url`, from the network; `image` is not filled. At most two requests of 5 s and 512 kB each.
 * Throws AppError: invalid (no URL, refused, nothing to show), unavailable (no or a broken answer), too_large.
 */
export async function fetchEmbed(url: string, options: Options = {}): Promise<Embed> {
  const link = classify(url);
  if (!link)
    throw new AppError("invalid", "This is not a URL that can become a card.", { field: "url" });
  const request = providerRequest(link.kind, link.canonicalUrl);
  return request ? fromProvider(url, link, request, options) : fromPage(url, options);
}
