// Makes recordings of any length for tests and benchmarks, from the small ones in
// tests/fixtures/audio.

import { readFileSync } from "node:fs";

const FRAME_MS = 20;
const SIMPLE_BLOCK_ID = 0xa3;
const CLUSTER_ID = [0x1f, 0x43, 0xb6, 0x75];

/** Returns the bytes of a file in tests/fixtures/audio. */
export function readAudioFixture(name: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(readFileSync(new URL(`../fixtures/audio/${name}`, import.meta.url)));
}

/** Returns `bytes` in the format in which the source site stores a recording in Call.base64. */
export const toDataUrl = (contentType: string, bytes: Uint8Array): string =>
  `data:${contentType};base64,${Buffer.from(bytes).toString("base64")}`;

/** Returns a WAV file with a 330 Hz tone (8 bits, mono). */
export function makeToneWav({
  seconds,
  rate = 8_000,
}: {
  seconds: number;
  rate?: number;
}): Uint8Array<ArrayBuffer> {
  const samples = Math.round(seconds * rate);
  const file = Buffer.alloc(44 + samples + (samples & 1));
  file.write("RIFF");
  file.writeUInt32LE(file.length - 8, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  file.writeUInt16LE(1, 20); // PCM
  file.writeUInt16LE(1, 22);
  file.writeUInt32LE(rate, 24);
  file.writeUInt32LE(rate, 28);
  file.writeUInt16LE(1, 32);
  file.writeUInt16LE(8, 34);
  file.write("data", 36);
  file.writeUInt32LE(samples, 40);
  for (let i = 0; i < samples; i++)
    file[44 + i] = 128 + Math.round(60 * Math.sin((2 * Math.PI * 330 * i) / rate));
  return new Uint8Array(file.buffer, file.byteOffset, file.length) as Uint8Array<ArrayBuffer>;
}

/** Returns the bytes before the fixture's clusters, and the clusters' Opus packets. */
function parseNoiseFixture(): { head: Buffer; packets: Buffer[] } {
  const file = Buffer.from(readAudioFixture("noise-64k.webm"));
  const first = file.indexOf(Buffer.from(CLUSTER_ID));
  const packets: Buffer[] = [];
  for (let at = first; at < file.length;) {
    const isMaster = file.subarray(at, at + 4).equals(Buffer.from(CLUSTER_ID));
    const idLength = isMaster ? 4 : 1;
    const sizeLength = Math.clz32(file[at + idLength]!) - 23;
    let size = file[at + idLength]! & (0xff >> sizeLength);
    for (let i = 1; i < sizeLength; i++) size = size * 256 + file[at + idLength + i]!;
    const start = at + idLength + sizeLength;
    if (file[at] === SIMPLE_BLOCK_ID) packets.push(file.subarray(start + 4, start + size));
    at = isMaster ? start : start + size;
  }
  return { head: file.subarray(0, first), packets };
}

let noiseFixture: ReturnType<typeof parseNoiseFixture> | undefined;

/** Returns an EBML element with a size of 4 bytes. */
function ebmlElement(id: readonly number[], ...content: Uint8Array[]): Buffer {
  const size = content.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([
    Buffer.from([...id, 0x10 | (size >>> 24), (size >>> 16) & 255, (size >>> 8) & 255, size & 255]),
    ...content,
  ]);
}

/**
 * Returns Opus in WebM like a browser's recording: 64 kbit/s, no duration in the header, one
 * cluster per second. Each `seed` gives a different file of the same size. Two minutes take just
 * under 1 MB, two parts of an upload.
 */
export function makeOpusWebm({
  seconds,
  seed = 0,
}: {
  seconds: number;
  seed?: number;
}): Uint8Array<ArrayBuffer> {
  noiseFixture ??= parseNoiseFixture();
  const { head, packets } = noiseFixture;
  const frames = Math.round((seconds * 1000) / FRAME_MS);
  const perCluster = 1000 / FRAME_MS;
  const mark = Buffer.alloc(8);
  mark.writeDoubleBE(seed);
  const pieces: Uint8Array[] = [head, ebmlElement([0xec], mark)]; // Void: ignored by players
  for (let from = 0; from < frames; from += perCluster) {
    const time = Buffer.alloc(4);
    time.writeUInt32BE(from * FRAME_MS);
    const blocks: Buffer[] = [ebmlElement([0xe7], time)];
    for (let i = from; i < Math.min(from + perCluster, frames); i++) {
      const offset = (i - from) * FRAME_MS;
      blocks.push(
        ebmlElement(
          [SIMPLE_BLOCK_ID],
          Buffer.from([0x81, offset >> 8, offset & 255, 0x80]),
          packets[(i + seed) % packets.length]!,
        ),
      );
    }
    pieces.push(ebmlElement(CLUSTER_ID, ...blocks));
  }
  const whole = Buffer.concat(pieces);
  return new Uint8Array(whole.buffer, whole.byteOffset, whole.length) as Uint8Array<ArrayBuffer>;
}
