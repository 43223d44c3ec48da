// Fuzzes the probe: any input quickly gives a result or an AppError, so it can run on the server's
// main thread.

import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { readAudioFixture } from "#tests/support/audio.ts";
import { fuzzCount, seededRandom } from "#tests/support/random.ts";
import { isAppError } from "#lib/core/errors.ts";
import { ANSWER_LIMITS, MAX_ANSWER_BYTES, probeAudio, sniffAudio } from "./probe.ts";

/** Returns a generator of integers from 0, below the given number. */
function sequence(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}

const EDGE_BYTES = [0, 1, 0x7f, 0x80, 0xff, 0x1a, 0x45, 0xa3];

function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/**
 * Returns a copy with random changes, cuts, repeats and fills, mostly near the start, where the
 * headers are.
 */
function mutate(bytes: Uint8Array, next: (below: number) => number): Uint8Array {
  let copy = bytes.slice();
  for (let times = 1 + next(8); times > 0; times--) {
    const at = next(next(2) ? Math.min(400, copy.length) : copy.length);
    const kind = next(6);
    if (kind === 0) copy[at] = next(256);
    else if (kind === 1) copy[at] = EDGE_BYTES[next(EDGE_BYTES.length)]!;
    else if (kind === 2) copy.fill(EDGE_BYTES[next(EDGE_BYTES.length)]!, at, at + next(12));
    else if (kind === 3) copy = copy.slice(0, Math.max(1, at));
    else if (kind === 4) copy = concat(copy.subarray(0, at), copy.subarray(at + next(64)));
    else
      copy = concat(
        copy.subarray(0, at),
        copy.subarray(Math.max(0, at - next(64))),
        copy.subarray(at),
      );
    if (copy.length === 0) copy = Uint8Array.of(0);
  }
  return copy;
}

/**
 * Returns the milliseconds of processor time that probing took, because on a busy machine the test
 * itself waits. Throws unless it gave a result within the limits or an AppError.
 */
async function probe(bytes: Uint8Array): Promise<number> {
  const started = process.threadCpuUsage();
  try {
    const audio = await probeAudio(bytes, ANSWER_LIMITS);
    if (!(audio.durationMs >= 500 && audio.durationMs <= ANSWER_LIMITS.maxMs + 1_000))
      throw new TypeError(`a duration of ${audio.durationMs}`);
  } catch (error) {
    if (!isAppError(error) || error.field !== "audio") throw error;
  }
  sniffAudio(bytes);
  const { user, system } = process.threadCpuUsage(started);
  return (user + system) / 1_000;
}

const fixtures = readdirSync(new URL("../../../tests/fixtures/audio/", import.meta.url)).filter(
  (name) => /^(tone|film|noise)/.test(name),
);

const DAMAGED_VERSIONS = fuzzCount(100);

for (const [index, name] of fixtures.entries()) {
  test(`damaged versions of ${name} are measured or rejected quickly`, async () => {
    const bytes = readAudioFixture(name);
    const next = sequence(index + 1);
    let slowest = 0;
    for (let i = 0; i < DAMAGED_VERSIONS; i++)
      slowest = Math.max(slowest, await probe(mutate(bytes, next)));
    // A 10 kB file takes well under a millisecond; the rest allows for a garbage collection.
    expect(slowest).toBeLessThan(500);
  });
}

const bytesOf = (text: string) => Uint8Array.from(text, (char) => char.charCodeAt(0));
const webm = () => {
  const bytes = readAudioFixture("tone-live.webm");
  return bytes.subarray(0, Buffer.from(bytes).indexOf(Buffer.from([0x1f, 0x43, 0xb6, 0x75])));
};
const mp4 = bytesOf("\0\0\0\x10ftypM4A \0\0\0\0");
/**
 * The worst input for each reader: at the maximum size, it forces the smallest steps throughout.
 */
const hostile: [string, Uint8Array, Uint8Array][] = [
  ["elements of no size", webm(), Uint8Array.of(0xec, 0x80)],
  ["tracks", webm(), Uint8Array.of(0xae, 0x80)],
  ["clusters of unknown size", webm(), Uint8Array.of(0x1f, 0x43, 0xb6, 0x75, 0xff)],
  ["blocks of no size", webm(), Uint8Array.of(0xa3, 0x80)],
  ["the smallest blocks", webm(), Uint8Array.of(0xa3, 0x84, 0x81, 0, 0, 0x80)],
  ["boxes of no content", mp4, bytesOf("\0\0\0\x08free")],
  ["empty tracks", mp4, bytesOf("\0\0\0\x10moov\0\0\0\x08trak")],
  ["boxes in boxes", mp4, bytesOf("\0\xff\xff\xf0moov")],
  ["fragments of nothing", mp4, bytesOf("\0\0\0\x10moof\0\0\0\x08traf")],
  ["sample entries", mp4, bytesOf("\0\0\0\x18stsd\0\0\0\0\0\0\0\x01\0\0\0\x08mp4a")],
  ["pages of no size", new Uint8Array(), bytesOf(`OggS\0\0${"\0".repeat(21)}`)],
  ["beginnings of streams", new Uint8Array(), bytesOf(`OggS\0\x02${"\0".repeat(20)}\x01\x01x`)],
  [
    "packets of one byte",
    bytesOf(`OggS\0\x02${"\0".repeat(20)}\x01\x13OpusHead\x01\x01${"\0".repeat(9)}`),
    bytesOf(`OggS\0\0${"\0".repeat(20)}\xff${"\x01".repeat(255)}${"\xfc".repeat(255)}`),
  ],
  ["chunks of no size", bytesOf("RIFF\0\0\0\0WAVE"), bytesOf("junk\0\0\0\0")],
  ["tags", new Uint8Array(), bytesOf("ID3\x04\0\0\0\0\0\0")],
  [
    "an ID3 tag, then bytes that look like frames",
    bytesOf("ID3\x04\0\0\0\0\0\0"),
    Uint8Array.of(0xff, 0xfb, 0x90, 0x00),
  ],
  ["a tag, then nothing", bytesOf("ID3\x04\0\0\0\0\0\0"), Uint8Array.of(0xff)],
  [
    "the smallest frames",
    new Uint8Array(),
    Uint8Array.of(0xff, 0xf3, 0x14, ...new Array<number>(21).fill(0)),
  ],
  [
    "FLAC frame headers",
    readAudioFixture("tone.flac").subarray(0, 100),
    Uint8Array.of(0xff, 0xf8, 0x99, 0x08),
  ],
  [
    "FLAC metadata blocks",
    readAudioFixture("tone.flac").subarray(0, 42),
    Uint8Array.of(4, 0, 0, 0),
  ],
];
for (const [what, head, repeated] of hostile) {
  test(`16 MiB of ${what} are rejected or measured within two seconds`, async () => {
    const bytes = new Uint8Array(MAX_ANSWER_BYTES);
    // Doubles the filled part, since one copy per repetition takes longer than probing.
    bytes.set(repeated);
    for (let at = repeated.length; at < bytes.length; at *= 2) bytes.copyWithin(at, 0, at);
    bytes.set(head);
    expect(await probe(bytes)).toBeLessThan(2_000);
  });
}

test("an MP4 fragment that claims four billion samples is rejected quickly", async () => {
  const bytes = readAudioFixture("tone-fragments.mp4");
  const run = Buffer.from(bytes.buffer).lastIndexOf("trun");
  const view = new DataView(bytes.buffer);
  view.setUint32(run + 4, 0x1);
  view.setUint32(run + 8, 4_000_000_000);
  expect(await probe(bytes)).toBeLessThan(500);
});
