/* oxlint-disable typescript/no-explicit-any -- parsed documents have no type; a missing value fails its assertion */
import { fromHtml } from "hast-util-from-html";
import { XMLParser, XMLValidator } from "fast-xml-parser";
import sharp from "sharp";
import { expect, test } from "vitest";
import type { Episode } from "./episodes.ts";
import { selectEnclosure, renderPodcastFeed, episodeAudioPath } from "./podcast-feed.ts";

const podcast = {
  url: "https://lectern.example",
  title: "Lectern & friends calls",
  description: "Questions <and> answers",
  owner: { name: "Ada O’Neil", email: "ada@example.com" },
  categories: [
    { category: "Society & Culture", subcategory: "Places & Travel" },
    { category: "Technology" },
  ],
  guid: "9b024349-ccf0-5f69-a609-6b82873eab3c",
  artwork: "https://lectern.example/podcast/cover.png",
  author: "Ada O’Neil",
  authorPortrait: "https://lectern.example/ada.jpg",
  authorUrl: "https://lectern.example/about",
  language: "en",
};
const NASTY = `Tom & "Jerry" <script>alert('1')</script> ]]> 𝔘🎉 é`;
const BROKEN = `\u0000\u0008\u001B\uFFFE\uD800`;

function episode(options: Partial<Episode> = {}): Episode {
  return {
    callId: "11111111-1111-4111-8111-111111111111",
    number: 1,
    slug: "1-names",
    publishedAt: Date.UTC(2026, 10, 21, 9, 5, 7),
    updatedAt: Date.UTC(2026, 10, 22),
    title: "Names",
    description: "How do you name things?",
    keywords: "names, files,, names",
    callerName: "Ada",
    hasCall: true,
    callDurationMs: 60_000,
    answer: { contentType: "audio/webm", durationMs: 65_432, sizeBytes: 12_345 },
    mergedAudio: { contentType: "audio/mpeg", durationMs: 130_400, sizeBytes: 1_040_000 },
    transcriptKind: "none",
    ...options,
  };
}
const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: "@",
  parseTagValue: false,
  parseAttributeValue: false,
  isArray: (name) => ["item", "category", "podcast:person"].includes(name),
});

function parse(xml: string): any {
  expect(XMLValidator.validate(xml)).toBe(true);

  expect(xml).not.toMatch(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/);
  expect(xml.isWellFormed()).toBe(true);
  expect(xml.startsWith('<?xml version="1.0" encoding="utf-8"?>\n')).toBe(true);
  return parser.parse(xml).rss;
}

/** Returns the paragraphs as an app shows them. Fails if they have elements. */
function shownText(html: string): string[] {
  return fromHtml(html, { fragment: true }).children.map((node) => {
    expect(node).toMatchObject({ tagName: "p", children: [{ type: "text" }] });
    const { children } = node as { children: { value: string }[] };
    expect(children).toHaveLength(1);
    return children[0]!.value;
  });
}

test("the channel has what RSS 2.0 and podcast apps require", () => {
  const rss = parse(renderPodcastFeed(podcast, [episode()]));
  expect(rss["@version"]).toBe("2.0");
  expect(rss["@xmlns:itunes"]).toBe("http://www.itunes.com/dtds/podcast-1.0.dtd");
  const { channel } = rss;
  expect(channel).toMatchObject({
    title: "Lectern & friends calls",
    link: "https://lectern.example/calls",
    language: "en",
    lastBuildDate: "Sun, 22 Nov 2026 00:00:00 GMT",
  });
  expect(channel.description).toBe("Questions <and> answers");
  expect(channel["atom:link"]).toEqual({
    "@rel": "self",
    "@type": "application/rss+xml",
    "@href": "https://lectern.example/calls/feed.xml",
  });
  expect(channel.image).toEqual({
    url: "https://lectern.example/podcast/cover.png",
    title: channel.title,
    link: channel.link,
  });
  expect(channel["itunes:owner"]).toEqual({
    "itunes:name": "Ada O’Neil",
    "itunes:email": "ada@example.com",
  });
  expect(channel["itunes:image"]).toEqual({ "@href": "https://lectern.example/podcast/cover.png" });
  expect(channel).toMatchObject({
    "itunes:author": "Ada O’Neil",
    "itunes:explicit": "false",
    "itunes:type": "episodic",
  });
  expect(channel["itunes:category"]).toEqual([
    { "@text": "Society & Culture", "itunes:category": { "@text": "Places & Travel" } },
    { "@text": "Technology" },
  ]);
});

test("the podcast and its episodes name their host, and an episode its guest", () => {
  const { channel } = parse(renderPodcastFeed(podcast, [episode()]));
  const host = {
    "#text": "Ada O’Neil",
    "@role": "host",
    "@href": "https://lectern.example/about",
    "@img": "https://lectern.example/ada.jpg",
  };
  expect(channel["podcast:guid"]).toBe(podcast.guid);
  expect(channel["podcast:person"]).toEqual([host]);
  expect(channel.item[0]["podcast:person"]).toEqual([
    host,
    { "#text": "Ada", "@role": "guest", "@href": "https://lectern.example/calls/1-names" },
  ]);
});

test("an episode links its transcript in the best format, and its chapters", () => {
  const { channel } = parse(
    renderPodcastFeed(podcast, [
      episode({ transcriptKind: "timed" }),
      episode({ transcriptKind: "plain", hasCall: false }),
      episode(),
    ]),
  );
  const path = "https://lectern.example/calls/text/1-names";
  expect(channel.item.map((item: any) => item["podcast:transcript"])).toEqual([
    {
      "@url": `${path}/transcript.vtt`,
      "@type": "text/vtt",
      "@language": "en",
      "@rel": "captions",
    },
    { "@url": `${path}/transcript.txt`, "@type": "text/plain", "@language": "en" },
    undefined,
  ]);
  const chapters = { "@url": `${path}/chapters.json`, "@type": "application/json+chapters" };
  expect(channel.item.map((item: any) => item["podcast:chapters"])).toEqual([
    chapters,
    undefined,
    chapters,
  ]);
});

test("M4A has the type that directories know", () => {
  const answer = { contentType: "audio/mp4", durationMs: 1_000, sizeBytes: 10 };
  const { channel } = parse(renderPodcastFeed(podcast, [episode({ mergedAudio: null, answer })]));
  expect(channel.item[0].enclosure).toMatchObject({
    "@url": "https://lectern.example/calls/audio/1-names/answer.m4a",
    "@type": "audio/x-m4a",
  });
});

test("an episode has an enclosure with size and type, a stable guid and an RFC 822 date", () => {
  const { channel } = parse(renderPodcastFeed(podcast, [episode()]));
  const [item] = channel.item;
  expect(channel.item).toHaveLength(1);
  expect(item.enclosure).toEqual({
    "@url": "https://lectern.example/calls/audio/1-names/episode.mp3",
    "@length": "1040000",
    "@type": "audio/mpeg",
  });
  expect(item.guid).toEqual({
    "#text": "11111111-1111-4111-8111-111111111111",
    "@isPermaLink": "false",
  });
  expect(item.pubDate).toBe("Sat, 21 Nov 2026 09:05:07 GMT");
  expect(item).toMatchObject({
    title: "Names",
    link: "https://lectern.example/calls/1-names",
    "itunes:duration": "130",
    "itunes:episode": "1",
    category: ["names", "files"],
    description: "<p>Ada asks: How do you name things?</p>",
  });
});

test("without merged audio the enclosure is the answer, and the description links the question", () => {
  const { channel } = parse(
    renderPodcastFeed(podcast, [
      episode({ mergedAudio: null }),
      episode({ mergedAudio: null, hasCall: false }),
    ]),
  );
  expect(channel.item[0].enclosure).toEqual({
    "@url": "https://lectern.example/calls/audio/1-names/answer.webm",
    "@length": "12345",
    "@type": "audio/webm",
  });
  expect(channel.item[0].description).toBe(
    '<p>Ada asks: How do you name things?</p><p>This recording is the answer. <a href="https://lectern.example/calls/1-names">Listen to the question</a>.</p>',
  );
  expect(channel.item[0]["itunes:duration"]).toBe("65");
  expect(channel.item[1].description).toBe("<p>Ada asks: How do you name things?</p>");
});

test("user input is escaped", () => {
  const { channel } = parse(
    renderPodcastFeed(podcast, [
      episode({
        title: NASTY + BROKEN,
        description: NASTY,
        callerName: "<b>Ada</b>",
        keywords: "x<y, a&b",
      }),
    ]),
  );
  const [item] = channel.item;
  expect(item.title).toBe(`${NASTY}\uFFFD`);
  expect(shownText(item.description)).toEqual([`<b>Ada</b> asks: ${NASTY}`]);
  expect(item.category).toEqual(["x<y", "a&b"]);
});

test("a caller's text is no HTML in a podcast app", () => {
  const description =
    'Read <a href="https://x.example">this</a>\n\n<img src=x onerror=alert(1)> &lt;b&gt;';
  const { channel } = parse(renderPodcastFeed(podcast, [episode({ description })]));
  expect(shownText(channel.item[0].description)).toEqual([
    'Ada asks: Read <a href="https://x.example">this</a>',
    "<img src=x onerror=alert(1)> &lt;b&gt;",
  ]);
});

test("a podcast without episodes is valid", () => {
  const { channel } = parse(renderPodcastFeed(podcast, []));
  expect(channel.item).toBeUndefined();
  expect(channel).not.toHaveProperty("lastBuildDate");
});

test("the cover is a square RGB image of the size that podcast apps require", async () => {
  const { format, width, height, hasAlpha, isPalette, space } = await sharp(
    "public/podcast/cover.png",
  ).metadata();
  expect({ format, hasAlpha, isPalette, space }).toEqual({
    format: "png",
    hasAlpha: false,
    isPalette: false,
    space: "srgb",
  });
  expect([width, height]).toEqual([3_000, 3_000]);
});

test("the path of an audio file has the extension of its type", () => {
  expect(episodeAudioPath("1-names", "call", "audio/mp4")).toBe("/calls/audio/1-names/call.m4a");
  expect(episodeAudioPath("1-names", "call", null)).toBe("/calls/audio/1-names/call");
  expect(episodeAudioPath("1-names", "call", "text/html")).toBe("/calls/audio/1-names/call");
  expect(selectEnclosure(episode({ mergedAudio: null })).path).toBe(
    "/calls/audio/1-names/answer.webm",
  );
});
