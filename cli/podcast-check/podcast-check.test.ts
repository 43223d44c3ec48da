import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import sharp from "sharp";
import { afterEach, expect, test } from "vitest";
import { GET as getArt } from "#app/calls/art/[slug]/[file]/route.ts";
import { GET as getAudio } from "#app/calls/audio/[slug]/[file]/route.ts";
import { GET as getFeed } from "#app/calls/feed.xml/route.ts";
import { GET as getText } from "#app/calls/text/[slug]/[file]/route.ts";
import { insertAnswer, insertCall, insertEpisode, insertUser } from "#tests/support/factories.ts";
import { toDataUrl } from "#tests/support/audio.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";
import { type TestServer, serveHttp } from "#tests/support/test-server.ts";
import { nowMs } from "#lib/core/clock.ts";
import { write } from "#lib/db/database.ts";
import { sqlOf } from "#lib/db/sql.ts";
import { probeAudio } from "#lib/calls/audio/probe.ts";
import { saveMergedAudio } from "#lib/calls/audio-blobs.sql.ts";
import { formatWebVtt } from "#lib/calls/transcript.ts";
import { insertExampleEpisodes } from "../../prisma/example-episodes.ts";
import { checkFeed } from "./feed-rules.ts";
import { checkFiles } from "./file-rules.ts";

const fixture = (name: string) => readFileSync(`tests/fixtures/audio/${name}`);

/** Publishes the example episodes, and one with merged audio, chapters and a timed transcript. */
async function publishEpisodes(): Promise<void> {
  const [question, answer, merged] = [
    fixture("tone-opus.webm"),
    fixture("tone.m4a"),
    readFileSync("public/podcast/intro.mp3"),
  ];
  const { durationMs } = await probeAudio(merged);
  await write(async (tx) => {
    const caller = insertUser(tx, { firstName: "Ada" });
    await insertExampleEpisodes(tx, [caller], nowMs());
    const { id: callId } = insertCall(tx, {
      userId: caller.id,
      base64: toDataUrl("audio/webm", question),
    });
    sqlOf(tx).run(
      `UPDATE "CallReview" SET "state" = 'PUBLISHED', "durationMs" = 300 WHERE "callId" = ?`,
      callId,
    );
    insertAnswer(tx, { callId, contentType: "audio/mp4", durationMs: 500, audio: answer });
    insertEpisode(tx, {
      callId,
      transcript: formatWebVtt([
        { startMs: 0, endMs: 900, speaker: "Ada", text: "How?" },
        { startMs: 900, endMs: 1_800, speaker: "Grace", text: "So." },
      ]),
    });
    saveMergedAudio(tx, callId, { contentType: "audio/mpeg", durationMs, audio: merged });
  });
}

type Route = (request: Request, path: string[]) => Response | Promise<Response>;

const ROUTES: Readonly<Record<string, Route>> = {
  "feed.xml": (request) => getFeed(request),
  art: (request, [, , slug = "", file = ""]) =>
    getArt(request, { params: Promise.resolve({ slug, file }) }),
  audio: (request, [, , slug = "", file = ""]) =>
    getAudio(request, { params: Promise.resolve({ slug, file }) }),
  text: (request, [, , slug = "", file = ""]) =>
    getText(request, { params: Promise.resolve({ slug, file }) }),
  "cover.png": () => new Response(readFileSync("public/podcast/cover.png")),
};

async function answer(
  { method = "GET", url = "/", headers }: IncomingMessage,
  response: ServerResponse,
  routes: Readonly<Record<string, Route>>,
): Promise<void> {
  const path = url.split("/").slice(1);
  const { range } = headers;
  const request = new Request(`http://site${url}`, {
    method,
    ...(range && { headers: { range } }),
  });
  const { status, headers: sent, body } = await routes[path[1]!]!(request, path);
  response.writeHead(status, Object.fromEntries(sent));
  response.end(method === "HEAD" || !body ? undefined : await new Response(body).bytes());
}

let server: TestServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
  overrideEnv({ SITE_URL: undefined });
  overrideSiteConfig();
});

/** Serves the example feed, with some routes replaced. Returns its XML. */
async function serveFeed(routes: Readonly<Record<string, Route>> = {}): Promise<string> {
  overrideSiteConfig({
    podcast: {
      owner: { name: "Ada", email: "ada@example.test" },
      artwork: "/podcast/cover.png",
    },
  });
  await publishEpisodes();
  server = await serveHttp((request, response) => {
    answer(request, response, { ...ROUTES, ...routes }).catch((error: Error) =>
      response.destroy(error),
    );
  });
  overrideEnv({ SITE_URL: server.origin });
  return (await fetch(`${server.origin}/calls/feed.xml`)).text();
}

test("the example feed and its files break no rule", async () => {
  const { problems, files } = checkFeed(await serveFeed());
  expect(problems).toEqual([]);
  expect(files.episodes.map(({ transcripts }) => transcripts.map(({ type }) => type))).toEqual([
    ["text/vtt"],
    ["text/plain"],
    ["text/plain"],
  ]);
  expect(files.episodes.filter(({ chaptersUrl }) => chaptersUrl)).toHaveLength(1);
  expect(await checkFiles(files)).toEqual([]);
});

/** Each breaks exactly one rule of the first episode or of the podcast. */
const MUTATIONS: readonly [from: string | RegExp, to: string, source: string][] = [
  [/<\/rss>/, "", "RSS"],
  ['version="2.0"', 'version="0.91"', "RSS"],
  [/xmlns:itunes="[^"]*"/, 'xmlns:itunes="http://www.itunes.com/DTDs/Podcast-1.0.dtd"', "Apple"],
  [/xmlns:podcast="[^"]*"/, 'xmlns:podcast="https://example.test"', "P2.0"],
  [/<title>[^<]*</, "<title> Calls<", "Apple"],
  [/<title>[^<]*</, "<title><", "Apple"],
  [/<title>[^<]*</, `<title>${"a".repeat(256)}<`, "Apple"],
  [/<description>[^<]*</, `<description>${"a".repeat(4_001)}<`, "Apple"],
  [/<language>[^<]*</, "<language>English<", "Apple"],
  [/(<itunes:image href="[^"]*)\.png"/, '$1.webp"', "Apple"],
  [/(<itunes:image href="[^"]*3000)\.png"/, '$1.svg"', "Apple"],
  [/<itunes:category [^>]*>/, "", "Apple"],
  [/<itunes:category text="[^"]*"/, '<itunes:category text="Tech"', "Apple"],
  [/<itunes:explicit>false</, "<itunes:explicit>no<", "Apple"],
  [/<itunes:email>[^<]*</, "<itunes:email>Ada<", "Apple"],
  [/<podcast:guid>[^<]*</, "<podcast:guid>calls<", "P2.0"],
  [/<item>[\s\S]*<\/item>/, "", "Apple"],
  [/<guid[^>]*>[^<]*<\/guid>/, "", "Apple"],
  [/<pubDate>[^<]*</, "<pubDate>2026-11-21T09:05:07Z<", "Apple"],
  [/<enclosure url="[^"]*"/, '<enclosure url="ftp://x.example/episode.mp3"', "RSS"],
  [/(<enclosure url="[^"]*)\.mp3"/, '$1.ogg"', "Apple"],
  [/type="audio\/mpeg"/, 'type="audio/mp3"', "Apple"],
  [/ length="\d+"/, ' length="0"', "RSS"],
  [/<itunes:duration>\d+</, "<itunes:duration>0:02<", "Apple"],
  [/<itunes:episode>\d+</, "<itunes:episode>0<", "Apple"],
  [/(<podcast:person role="guest"[^>]*>)[^<]*</, "$1<", "P2.0"],
  [/type="text\/vtt"/, 'type="text/webvtt"', "P2.0"],
  [/type="application\/json\+chapters"/, 'type="application/json"', "P2.0"],
];

test("each rule of the feed finds its fault", async () => {
  const xml = await serveFeed();
  for (const [from, to, source] of MUTATIONS) {
    const mutated = xml.replace(from, to);
    expect(mutated, `${from} matches`).not.toBe(xml);
    const { problems } = checkFeed(mutated);
    expect(
      problems.map((problem) => problem.source),
      `${from} → ${to}: ${JSON.stringify(problems)}`,
    ).toEqual([source]);
  }
});

test("two episodes with the same guid are found", async () => {
  const xml = await serveFeed();
  const [first] = /<guid[^>]*>[^<]*<\/guid>/.exec(xml)!;
  const { problems } = checkFeed(xml.replaceAll(/<guid[^>]*>[^<]*<\/guid>/g, first));
  expect(problems.map(({ source, episode }) => ({ source, episode }))).toEqual([
    { source: "Apple", episode: null },
  ]);
});

const pngOf = (width: number, height: number, alpha = 1) =>
  sharp({ create: { width, height, channels: 4, background: { r: 9, g: 9, b: 9, alpha } } });
const withoutRange =
  (route: Route): Route =>
  (request, path) =>
    route(new Request(request.url, { method: request.method }), path);

/** Each breaks exactly one rule of one kind of file. */
const FILE_FAULTS: Readonly<Record<string, [routes: Record<string, Route>, source: string]>> = {
  "small artwork": [
    {
      "cover.png": async () =>
        new Response(await pngOf(1_000, 1_000).removeAlpha().png().toBuffer()),
    },
    "Apple",
  ],
  "oblong artwork": [
    {
      "cover.png": async () =>
        new Response(await pngOf(1_500, 1_400).removeAlpha().png().toBuffer()),
    },
    "Apple",
  ],
  "transparent artwork": [
    { "cover.png": async () => new Response(await pngOf(1_400, 1_400, 0.5).png().toBuffer()) },
    "Apple",
  ],
  "gray artwork": [
    {
      "cover.png": async () =>
        new Response(await pngOf(1_400, 1_400).removeAlpha().toColourspace("b-w").png().toBuffer()),
    },
    "Apple",
  ],
  "artwork of another type": [
    {
      "cover.png": async () =>
        new Response(await pngOf(1_400, 1_400).removeAlpha().jpeg().toBuffer()),
    },
    "Apple",
  ],
  "artwork without HEAD": [
    {
      "cover.png": (request) =>
        request.method === "HEAD"
          ? new Response(null, { status: 405 })
          : new Response(readFileSync("public/podcast/cover.png")),
    },
    "Apple",
  ],
  "small art of an episode": [
    {
      art: (request, [, , slug = ""]) => {
        const file = slug.startsWith("1-") ? "512.png" : "3000.png";
        return getArt(request, { params: Promise.resolve({ slug, file }) });
      },
    },
    "Apple",
  ],
  "audio without byte ranges": [{ audio: withoutRange(ROUTES.audio!) }, "Apple"],
  "a transcript without CORS": [
    {
      text: async (request, path) => {
        const response = await ROUTES.text!(request, path);
        if (path[3] === "transcript.vtt") response.headers.delete("access-control-allow-origin");
        return response;
      },
    },
    "P2.0",
  ],
  "chapters out of order": [
    {
      text: (request, path) =>
        path[3] === "chapters.json"
          ? Response.json({ version: "1.2.0", chapters: [{ startTime: 2 }, { startTime: 1 }] })
          : ROUTES.text!(request, path),
    },
    "P2.0",
  ],
};

test.for(Object.entries(FILE_FAULTS))(
  "a file's fault is found: %s",
  async ([, [routes, source]]) => {
    const { files } = checkFeed(await serveFeed(routes));
    // Checks only the kind of file that has the fault, because creating all pictures is slow.
    const problems = await checkFiles(
      "cover.png" in routes ? { ...files, episodes: [] } : { ...files, artwork: null },
    );
    const sources = new Set(problems.map((problem) => problem.source));
    expect([...sources], JSON.stringify(problems)).toEqual([source]);
  },
);

test("a wrong size, type or duration of the audio is found", async () => {
  const { files } = checkFeed(await serveFeed());
  const [episode] = files.episodes;
  const check = async (fields: object) =>
    (await checkFiles({ artwork: null, episodes: [{ ...episode!, artwork: null, ...fields }] }))
      .length;
  expect(await check({})).toBe(0);
  // The size is compared with HEAD's, too.
  expect(await check({ sizeBytes: episode!.sizeBytes + 1 })).toBe(2);
  expect(await check({ type: "audio/x-m4a" })).toBe(1);
  expect(await check({ durationSeconds: episode!.durationSeconds + 3 })).toBe(1);
});

test("a URL that is not a feed is refused with a URL to try", async () => {
  const site = await serveHttp((request, response) => {
    if (request.url === "/gone") response.writeHead(404);
    response.end("<!doctype html><title>Lectern</title>");
  });
  const closed = await serveHttp(() => {});
  await closed.close();
  const check = (...args: string[]) => {
    const child = spawn(process.execPath, ["cli/podcast-check/main.ts", ...args]);
    return Promise.all([
      text(child.stderr),
      new Promise((resolve) => child.once("close", resolve)),
    ]);
  };
  for (const [args, reason] of [
    [[site.origin], `${site.origin}/ is a web page, not a feed. Try ${site.origin}/calls/feed.xml`],
    [[`${site.origin}/gone`], "404"],
    [[closed.origin], "ECONNREFUSED"],
    [["lectern.example"], '"lectern.example" is not a URL'],
    [["file:///etc/hosts"], "is not a URL"],
    [[site.origin, "x"], 'Unexpected argument: "x"'],
  ] as const)
    expect([args, ...(await check(...args))]).toEqual([
      args,
      expect.stringContaining(reason) as string,
      2,
    ]);
  await site.close();
});
