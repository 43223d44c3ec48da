// Checks the files that a podcast feed names, by requesting them as podcast apps do.

import { parseBuffer } from "music-metadata";
import sharp from "sharp";
import { forEachConcurrently } from "#lib/core/for-each-concurrently.ts";
import type { EpisodeFiles, FeedFiles, Problem } from "./feed-rules.ts";

const TIMEOUT_MS = 30_000;
/** Apple's limits of artwork, in pixels: support/896. */
const [MIN_PIXELS, MAX_PIXELS] = [1_400, 3_000];
const MAX_FILE_BYTES = 200_000_000;
const MAX_DURATION_ERROR_SECONDS = 1;

type AddProblem = (source: string, message: string) => void;

/** Requests `url`. Throws if it takes longer than 30 seconds. */
function request(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
}

/** Returns the body. Throws above 200 MB. */
async function readBytes(response: Response): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += (chunk as Uint8Array).length;
    if (size > MAX_FILE_BYTES) throw new Error(`it has more than ${MAX_FILE_BYTES} bytes`);
    chunks.push(chunk as Uint8Array);
  }
  return Buffer.concat(chunks);
}

/** Returns what is wrong with the files. */
export async function checkFiles({ artwork, episodes }: FeedFiles): Promise<Problem[]> {
  const problems: Problem[] = [];
  const check = async (
    episode: string | null,
    url: string,
    work: (add: AddProblem) => Promise<void>,
  ) => {
    const add: AddProblem = (source, message) => problems.push({ source, episode, message });
    await work(add).catch((error: Error) => add("RSS", `${url} can't be read: ${error.message}`));
  };
  if (artwork) await check(null, artwork, (add) => checkArtwork(artwork, add));
  await forEachConcurrently([...episodes], 2, async (episode) => {
    const { title, url, transcripts, chaptersUrl, artwork } = episode;
    await check(title, url, (add) => checkAudio(episode, add));
    for (const transcript of transcripts)
      await check(title, transcript.url, (add) => checkTranscript(transcript, add));
    if (artwork) await check(title, artwork, (add) => checkArtwork(artwork, add));
    if (chaptersUrl) await check(title, chaptersUrl, (add) => checkChapters(chaptersUrl, add));
  });
  return problems;
}

/** Apple: artwork is a square RGB image, and its server answers HEAD. */
async function checkArtwork(url: string, add: AddProblem): Promise<void> {
  const head = await request(url, { method: "HEAD" });
  if (!head.ok) add("Apple", `HEAD ${url} returns ${head.status}.`);
  const image = sharp(await readBytes(await request(url)));
  const { format, width, height, space, hasAlpha } = await image.metadata();
  const expectedType = /\.png$/i.test(new URL(url).pathname) ? "png" : "jpeg";
  if (format !== expectedType)
    add("Apple", `The artwork is ${format}, but its file name says otherwise.`);
  if (width !== height || width < MIN_PIXELS || width > MAX_PIXELS)
    add(
      "Apple",
      `The artwork is ${width} × ${height} pixels. It must be square, from ${MIN_PIXELS} to ${MAX_PIXELS}.`,
    );
  if (space !== "srgb" && space !== "rgb") add("Apple", `The artwork is ${space}, not RGB.`);
  if (hasAlpha) add("Apple", "The artwork has transparent parts.");
}

/** Apple: servers answer HEAD and byte ranges. The size and the duration are those of the file. */
async function checkAudio(
  { url, type, sizeBytes, durationSeconds }: EpisodeFiles,
  add: AddProblem,
): Promise<void> {
  const head = await request(url, { method: "HEAD" });
  if (!head.ok) add("Apple", `HEAD ${url} returns ${head.status}.`);
  if (Number(head.headers.get("content-length")) !== sizeBytes)
    add("Apple", `HEAD ${url} doesn't return a Content-Length of ${sizeBytes} bytes.`);
  const range = await request(url, { headers: { range: "bytes=1-2" } });
  const part = await readBytes(range);
  if (range.status !== 206 || part.length !== 2)
    add("Apple", `${url} doesn't support byte-range requests.`);
  const response = await request(url);
  const bytes = await readBytes(response);
  const servedType = response.headers.get("content-type")?.replace(/;.*/, "") ?? "";
  const knownType = type === "audio/x-m4a" ? /^audio\/(x-m4a|mp4)$/ : new RegExp(`^${type}$`);
  if (!knownType.test(servedType)) add("RSS", `${url} is served as ${servedType}, not as ${type}.`);
  if (bytes.length !== sizeBytes)
    add("RSS", `${url} is ${bytes.length} bytes, but its enclosure says ${sizeBytes}.`);
  const { format } = await parseBuffer(bytes, { mimeType: servedType }, { duration: true });
  if (Math.abs((format.duration ?? 0) - durationSeconds) > MAX_DURATION_ERROR_SECONDS)
    add(
      "Apple",
      `${url} is ${format.duration?.toFixed(1)} s long, but the feed says ${durationSeconds}.`,
    );
}

/** P2.0: transcripts allow CORS. */
async function checkTranscript(
  { url, type }: { url: string; type: string },
  add: AddProblem,
): Promise<void> {
  const response = await request(url);
  if (!response.ok) return add("P2.0", `${url} returns ${response.status}.`);
  if (response.headers.get("access-control-allow-origin") !== "*")
    add("P2.0", `${url} doesn't allow other sites to read it (CORS).`);
  if (!response.headers.get("content-type")?.startsWith(type))
    add("P2.0", `${url} is not served as ${type}.`);
  const text = (await readBytes(response)).toString("utf8");
  if (type === "text/vtt" && !/^WEBVTT\n[\s\S]*\n\d{2,}:\d{2}:\d{2}\.\d{3} --> /.test(text))
    add("P2.0", `${url} is not WebVTT with times.`);
}

/** P2.0: JSON chapters have a version and ascending times. */
async function checkChapters(url: string, add: AddProblem): Promise<void> {
  const response = await request(url);
  const { version, chapters } = JSON.parse((await readBytes(response)).toString("utf8")) as {
    version?: unknown;
    chapters?: { startTime?: unknown; title?: unknown }[];
  };
  const times = (chapters ?? []).map(({ startTime }) => startTime);
  const isAscending = times.every(
    (time, i) => typeof time === "number" && (i === 0 || time > Number(times[i - 1])),
  );
  if (typeof version !== "string" || times.length === 0 || !isAscending)
    add("P2.0", `${url} needs a version and chapters in ascending order.`);
}
