// Checks the XML of a podcast feed against the published rules of directories. Each rule names its
// source:
// - RSS: rssboard.org/rss-specification
// - Apple: podcasters.apple.com/support/823-podcast-requirements and help.apple.com/itc/podcasts_connect/#/itcb54353390
// - P2.0: podcasting2.org/docs/podcast-namespace

import { XMLParser, XMLValidator } from "fast-xml-parser";
import { isPodcastCategory } from "#lib/core/podcast-categories.ts";

export interface Problem {
  /** "RSS", "Apple" or "P2.0". */
  readonly source: string;
  /** The title of the episode; null for the podcast. */
  readonly episode: string | null;
  readonly message: string;
}

/** What the files of the feed are checked for. */
export interface FeedFiles {
  readonly artwork: string | null;
  readonly episodes: readonly EpisodeFiles[];
}
export interface EpisodeFiles {
  readonly title: string;
  readonly url: string;
  readonly type: string;
  readonly sizeBytes: number;
  readonly durationSeconds: number;
  readonly transcripts: readonly { readonly url: string; readonly type: string }[];
  readonly chaptersUrl: string | null;
  readonly artwork: string | null;
}

type Node = Readonly<Record<string, unknown>>;

const NAMESPACES = {
  itunes: "http://www.itunes.com/dtds/podcast-1.0.dtd",
  podcast: "https://podcastindex.org/namespace/1.0",
};
/** Apple: the extension of an enclosure's URL, and its type. */
const ENCLOSURE_TYPES: Readonly<Record<string, string>> = {
  mp3: "audio/mpeg",
  m4a: "audio/x-m4a",
  mov: "video/quicktime",
  mp4: "video/mp4",
  m4v: "video/x-m4v",
  pdf: "application/pdf",
};
const TRANSCRIPT_TYPES = [
  "text/vtt",
  "text/plain",
  "text/html",
  "application/json",
  "application/x-subrip",
  "application/srt",
];
const LONG_TAG_BYTES = 4_000;
const TAG_CHARS = 255;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
/** RFC 2822, as Apple and RSS require. */
const DATE =
  /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d{1,2} (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d{2}:\d{2}:\d{2} (GMT|[+-]\d{4})$/;

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  isArray: (name) => /^(item|category|itunes:category|podcast:(person|transcript))$/.test(name),
});

const textOf = (node: unknown): string =>
  typeof node === "string"
    ? node
    : node && typeof node === "object"
      ? String((node as Node)["#text"] ?? "")
      : "";
const attributeOf = (node: unknown, name: string): string =>
  node && typeof node === "object" ? String((node as Node)[`@${name}`] ?? "") : "";
const listOf = (node: unknown): unknown[] =>
  Array.isArray(node) ? node : node === undefined ? [] : [node];
const isWebUrl = (url: string) => /^https?:$/.test(URL.parse(url)?.protocol ?? "");

class Report {
  readonly problems: Problem[] = [];
  episode: string | null = null;

  /** Adds the problem unless `isMet`. */
  require(isMet: boolean, source: string, message: string): void {
    if (!isMet) this.problems.push({ source, episode: this.episode, message });
  }
}

/** Returns what is wrong with the feed, and the files that it names. */
export function checkFeed(xml: string): { problems: Problem[]; files: FeedFiles } {
  const report = new Report();
  const isXml = XMLValidator.validate(xml) === true;
  report.require(isXml, "RSS", "The feed is not well-formed XML.");
  const rss = isXml ? ((parser.parse(xml) as Node).rss as Node | undefined) : undefined;
  const channel = rss?.channel as Node | undefined;
  if (isXml) report.require(Boolean(channel), "RSS", "There is no <rss> with a <channel>.");
  if (!rss || !channel)
    return { problems: report.problems, files: { artwork: null, episodes: [] } };
  report.require(
    attributeOf(rss, "version") === "2.0",
    "RSS",
    'The version of <rss> is not "2.0".',
  );
  for (const [prefix, uri] of Object.entries(NAMESPACES))
    report.require(
      attributeOf(rss, `xmlns:${prefix}`) === uri,
      prefix === "itunes" ? "Apple" : "P2.0",
      `<rss> needs xmlns:${prefix}="${uri}".`,
    );
  checkChannel(report, channel);
  const items = listOf(channel.item) as Node[];
  report.require(items.length > 0, "Apple", "The feed has no episode. Publish one first.");
  checkGuids(report, items);
  const episodes = items.map((item) => checkItem(report, item));
  const artwork = attributeOf(channel["itunes:image"], "href") || null;
  return { problems: report.problems, files: { artwork, episodes } };
}

function checkText(report: Report, parent: Node, tag: string, source = "Apple"): string {
  const text = textOf(parent[tag]);
  report.require(text !== "", source, `<${tag}> is missing or empty.`);
  report.require(text === text.trim(), "Apple", `<${tag}> has spaces around its value.`);
  if (tag === "description")
    report.require(
      Buffer.byteLength(text) <= LONG_TAG_BYTES,
      "Apple",
      `<description> has ${Buffer.byteLength(text)} bytes. The limit is ${LONG_TAG_BYTES}.`,
    );
  else
    report.require(
      text.length <= TAG_CHARS,
      "Apple",
      `<${tag}> has ${text.length} characters. The limit is ${TAG_CHARS}.`,
    );
  return text;
}

function checkExplicit(report: Report, parent: Node): void {
  report.require(
    /^(true|false)$/.test(textOf(parent["itunes:explicit"])),
    "Apple",
    "<itunes:explicit> must be true or false.",
  );
}

function checkPeople(report: Report, parent: Node): void {
  for (const person of listOf(parent["podcast:person"])) {
    const name = textOf(person);
    report.require(
      name.trim() !== "" && name.length <= 128,
      "P2.0",
      "<podcast:person> needs a name of at most 128 characters.",
    );
    for (const attribute of ["href", "img"]) {
      const url = attributeOf(person, attribute);
      report.require(url === "" || isWebUrl(url), "P2.0", `${attribute} of ${name} is not a URL.`);
    }
  }
}

function checkChannel(report: Report, channel: Node): void {
  for (const tag of ["title", "description", "itunes:author"]) checkText(report, channel, tag);
  report.require(
    isWebUrl(checkText(report, channel, "link", "RSS")),
    "RSS",
    "<link> is not a URL.",
  );
  report.require(
    /^[a-z]{2}(-[a-z]{2,4})?$/i.test(checkText(report, channel, "language")),
    "Apple",
    "<language> must be a code such as en or en-us.",
  );
  checkArtworkUrl(report, attributeOf(channel["itunes:image"], "href"));
  const categories = listOf(channel["itunes:category"]);
  report.require(categories.length > 0, "Apple", "<itunes:category> is missing.");
  for (const node of categories) {
    const category = attributeOf(node, "text");
    const subcategories = listOf((node as Node)["itunes:category"]).map((each) =>
      attributeOf(each, "text"),
    );
    report.require(
      [undefined, ...subcategories].every((subcategory) =>
        isPodcastCategory(category, subcategory),
      ),
      "Apple",
      `Unknown category: ${[category, ...subcategories].join(" > ")}.`,
    );
  }
  checkExplicit(report, channel);
  const owner = channel["itunes:owner"] as Node | undefined;
  report.require(
    /^[^\s<>@]+@[^\s<>@]+$/.test(textOf(owner?.["itunes:email"])) &&
      textOf(owner?.["itunes:name"]) !== "",
    "Apple",
    "<itunes:owner> needs a name and an email address, which directories verify. Set podcast.owner in site.config.ts.",
  );
  report.require(
    UUID.test(textOf(channel["podcast:guid"])),
    "P2.0",
    "<podcast:guid> must be a UUID.",
  );
  report.require(
    listOf(channel["podcast:person"]).length > 0,
    "P2.0",
    "<podcast:person> names no host.",
  );
  checkPeople(report, channel);
}

function checkArtworkUrl(report: Report, url: string): void {
  report.require(isWebUrl(url), "Apple", "<itunes:image> needs the URL of the artwork in href.");
  report.require(
    /\.(png|jpe?g)$/i.test(URL.parse(url)?.pathname ?? ""),
    "Apple",
    "The artwork's URL must end in .png or .jpg.",
  );
}

function checkGuids(report: Report, items: readonly Node[]): void {
  for (const [tag, valueOf] of [
    ["guid", (item: Node) => textOf(item.guid)],
    ["enclosure", (item: Node) => attributeOf(item.enclosure, "url")],
  ] as const) {
    const values = items.map(valueOf);
    const duplicate = values.find((value, i) => value !== "" && values.indexOf(value) !== i);
    report.require(
      duplicate === undefined,
      "Apple",
      `Two episodes share the <${tag}> ${duplicate}.`,
    );
  }
}

function checkItem(report: Report, item: Node): EpisodeFiles {
  const title = textOf(item.title);
  report.episode = title || "(an episode without a title)";
  checkText(report, item, "title");
  checkText(report, item, "guid");
  checkText(report, item, "description");
  const date = checkText(report, item, "pubDate");
  report.require(
    DATE.test(date) && !Number.isNaN(Date.parse(date)),
    "Apple",
    "<pubDate> must look like Sat, 21 Nov 2026 09:05:07 GMT.",
  );
  report.require(isWebUrl(textOf(item.link)), "Apple", "<link> is not a URL.");
  checkExplicit(report, item);
  const duration = textOf(item["itunes:duration"]);
  report.require(
    /^[1-9]\d*$/.test(duration),
    "Apple",
    "<itunes:duration> must be a number of seconds.",
  );
  report.require(
    /^[1-9]\d*$/.test(textOf(item["itunes:episode"])),
    "Apple",
    "<itunes:episode> must be a number from 1.",
  );
  checkPeople(report, item);
  const artwork = attributeOf(item["itunes:image"], "href") || null;
  if (artwork) checkArtworkUrl(report, artwork);
  const files = {
    title: report.episode,
    ...checkEnclosure(report, item.enclosure),
    durationSeconds: Number(duration),
    transcripts: checkTranscripts(report, item),
    chaptersUrl: checkChapters(report, item),
    artwork,
  };
  report.episode = null;
  return files;
}

function checkEnclosure(report: Report, enclosure: unknown) {
  const url = attributeOf(enclosure, "url");
  const type = attributeOf(enclosure, "type");
  const length = attributeOf(enclosure, "length");
  report.require(isWebUrl(url), "RSS", "<enclosure> needs the URL of the audio.");
  const extension = /\.(\w+)$/.exec(URL.parse(url)?.pathname ?? "")?.[1]?.toLowerCase() ?? "";
  const expected = Object.hasOwn(ENCLOSURE_TYPES, extension) ? ENCLOSURE_TYPES[extension] : null;
  report.require(
    expected !== null,
    "Apple",
    `Directories don't play .${extension}. Install ffmpeg, unpublish the episode and publish it again.`,
  );
  report.require(
    expected === null || type === expected,
    "Apple",
    `The type of a .${extension} is ${expected}, not ${type || "empty"}.`,
  );
  report.require(
    /^[1-9]\d*$/.test(length),
    "RSS",
    "length of <enclosure> must be the size of the file in bytes.",
  );
  return { url, type, sizeBytes: Number(length) };
}

function checkTranscripts(report: Report, item: Node) {
  return listOf(item["podcast:transcript"]).map((node) => {
    const [url, type] = [attributeOf(node, "url"), attributeOf(node, "type")];
    report.require(isWebUrl(url), "P2.0", "<podcast:transcript> needs a URL.");
    report.require(
      TRANSCRIPT_TYPES.includes(type),
      "P2.0",
      `The type of a transcript is one of ${TRANSCRIPT_TYPES.join(", ")}, not ${type || "empty"}.`,
    );
    return { url, type };
  });
}

function checkChapters(report: Report, item: Node): string | null {
  const node = item["podcast:chapters"];
  if (node === undefined) return null;
  const url = attributeOf(node, "url");
  report.require(
    isWebUrl(url) && attributeOf(node, "type") === "application/json+chapters",
    "P2.0",
    "<podcast:chapters> needs a URL and the type application/json+chapters.",
  );
  return url;
}
