import { parseBuffer } from "music-metadata";
import { expect, test } from "vitest";
import { readAudioFixture, makeOpusWebm, makeToneWav } from "#tests/support/audio.ts";
import { isAppError } from "#lib/core/errors.ts";
import {
  ANSWER_LIMITS,
  MAX_ANSWER_BYTES,
  MAX_CALL_BYTES,
  decodeRecording,
  probeAudio,
  sniffAudio,
} from "./probe.ts";
import { opusPacketMs } from "./track.ts";

/** Returns why the bytes are rejected: [code, message, field]. */
async function refusal(
  bytes: Uint8Array,
  limits?: typeof ANSWER_LIMITS,
): Promise<[string, string, string | undefined]> {
  const error = await probeAudio(bytes, limits).then(
    (audio) => new Error(`accepted as ${JSON.stringify(audio)}`),
    (error: unknown) => error,
  );
  if (!isAppError(error)) throw error;
  return [error.code, error.message, error.field];
}

const validFiles: [string, string, string, string, number][] = [
  ["tone-opus.webm", "audio/webm", "webm", "opus", 2_000],
  ["tone-live.webm", "audio/webm", "webm", "opus", 2_000],
  ["tone-recorder.webm", "audio/webm", "webm", "opus", 1_980],
  ["tone-recorder-paused.webm", "audio/webm", "webm", "opus", 1_980],
  ["tone-opus.ogg", "audio/ogg", "ogg", "opus", 2_000],
  ["tone-vorbis.ogg", "audio/ogg", "ogg", "vorbis", 2_000],
  ["tone.m4a", "audio/mp4", "m4a", "aac", 2_046],
  ["tone-fragments.mp4", "audio/mp4", "m4a", "aac", 2_046],
  ["tone-opus.mp4", "audio/mp4", "m4a", "opus", 2_000],
  ["tone.mp3", "audio/mpeg", "mp3", "mp3", 2_060],
  ["tone-vbr.mp3", "audio/mpeg", "mp3", "mp3", 2_060],
  ["tone.wav", "audio/wav", "wav", "pcm", 1_000],
  ["tone.flac", "audio/flac", "flac", "flac", 2_000],
];
for (const [name, contentType, extension, codec, durationMs] of validFiles) {
  test(`${name} is probed by its bytes`, async () => {
    const bytes = readAudioFixture(name);
    const audio = await probeAudio(bytes);
    expect(audio).toEqual({ contentType, extension, codec, durationMs: expect.any(Number) });
    expect(Math.abs(audio.durationMs - durationMs)).toBeLessThan(30);
    expect(sniffAudio(bytes)).toEqual({ contentType, extension });
  });
}

test("an independent library measures the same durations", async () => {
  // music-metadata reads neither WebM of unknown size, which browsers record, nor fragmented MP4.
  for (const name of [
    "tone-opus.webm",
    "tone-opus.ogg",
    "tone-vorbis.ogg",
    "tone.m4a",
    "tone.mp3",
    "tone-vbr.mp3",
    "tone.wav",
    "tone.flac",
  ]) {
    const bytes = readAudioFixture(name);
    const { format } = await parseBuffer(bytes, undefined, { duration: true });
    const differenceMs = format.duration! * 1000 - (await probeAudio(bytes)).durationMs;
    expect([name, Math.abs(differenceMs) < 60]).toEqual([name, true]);
  }
});

const refusedFiles: [string, RegExp][] = [
  ["film.webm", /This is a video/],
  ["film.mp4", /This is a video/],
  ["film.ogv", /This is a video/],
  ["tone-mulaw.wav", /codec in this WAV file/],
  ["tone-alac.m4a", /codec in this M4A file/],
  ["tone.mka", /codec in this Matroska file/],
  ["tone.aac", /Raw AAC/],
];
for (const [name, reason] of refusedFiles) {
  test(`${name} is rejected with advice`, async () => {
    expect(await refusal(readAudioFixture(name))).toEqual([
      "invalid",
      expect.stringMatching(reason),
      "audio",
    ]);
  });
}

const text = (content: string) => new TextEncoder().encode(content);
const otherFiles: [string, Uint8Array][] = [
  ["a text called .webm", text("Hello, I am a recording. ".repeat(500))],
  ["a page", text("<!doctype html><script>alert(1)</script>".repeat(50))],
  [
    "a picture",
    Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, ...new Array<number>(500).fill(7)]),
  ],
  ["zeros", new Uint8Array(100_000)],
  ["ones", new Uint8Array(100_000).fill(255)],
  ["one byte", Uint8Array.of(0x1a)],
  ["a program", text(`\x7fELF${"\0".repeat(1_000)}`)],
  ["an archive", text(`PK\x03\x04${"x".repeat(1_000)}`)],
  ["a film of another kind", text(`RIFF\x00\x10\x00\x00AVI LIST${"x".repeat(1_000)}`)],
];
for (const [what, bytes] of otherFiles) {
  test(`${what} is not a recording`, async () => {
    expect(await refusal(bytes)).toEqual([
      "invalid",
      expect.stringMatching(/Unsupported format/),
      "audio",
    ]);
    expect(sniffAudio(bytes)).toBeNull();
  });
}

test("an empty file is not a recording", async () => {
  expect(await refusal(new Uint8Array())).toEqual([
    "invalid",
    "The recording is empty. Record it again.",
    "audio",
  ]);
  expect(sniffAudio(new Uint8Array())).toBeNull();
});

for (const [name] of validFiles) {
  test(`the start of ${name} alone is rejected`, async () => {
    for (const length of [4, 8, 12, 16, 24, 40])
      expect((await refusal(readAudioFixture(name).subarray(0, length)))[0]).toBe("invalid");
  });
}

for (const name of [
  "tone-recorder.webm",
  "tone-live.webm",
  "tone-opus.ogg",
  "tone-fragments.mp4",
  "tone.mp3",
]) {
  test(`the duration of a truncated ${name} is that of its playable part`, async () => {
    const bytes = readAudioFixture(name);
    const { durationMs } = await probeAudio(bytes.subarray(0, Math.round(bytes.length * 0.6)));
    expect(durationMs).toBeGreaterThan(500);
    expect(durationMs).toBeLessThan(1_700);
  });
}

test("the duration of a truncated FLAC file is that of its complete frames", async () => {
  const bytes = readAudioFixture("tone.flac");
  expect((await probeAudio(bytes.subarray(0, bytes.length - 2_500))).durationMs).toBeLessThan(
    1_600,
  );
});

test("a truncated M4A file is rejected, because its sample table points past the end", async () => {
  const bytes = readAudioFixture("tone.m4a");
  expect(await refusal(bytes.subarray(0, bytes.length - 2_000))).toEqual([
    "invalid",
    expect.stringMatching(/M4A file is damaged or incomplete/),
    "audio",
  ]);
});

test("the duration of a WAV file comes from its samples, not from its header", async () => {
  const bytes = makeToneWav({ seconds: 3 });
  const view = new DataView(bytes.buffer);
  for (const claimedSize of [0, 0xffffffff, 0x7fffffff]) {
    view.setUint32(40, claimedSize, true);
    expect((await probeAudio(bytes)).durationMs).toBe(3_000);
  }
  expect((await probeAudio(bytes.subarray(0, 44 + 8_000))).durationMs).toBe(1_000);
});

test("the duration in the header of a WebM file is ignored", async () => {
  const bytes = readAudioFixture("tone-opus.webm");
  const at = Buffer.from(bytes).indexOf(Buffer.from([0x44, 0x89, 0x88]));
  expect(at).toBeGreaterThan(0);
  new DataView(bytes.buffer).setFloat64(at + 3, 9e9);
  expect(Math.abs((await probeAudio(bytes)).durationMs - 2_000)).toBeLessThan(30);
});

test("a recording may last two minutes, plus one second for recorders that stop late", async () => {
  for (const seconds of [119.9, 120, 120.98])
    expect((await probeAudio(makeOpusWebm({ seconds }))).durationMs).toBe(seconds * 1000);
  expect(await refusal(makeOpusWebm({ seconds: 121.02 }))).toEqual([
    "invalid",
    "Your recording is 2:02 long. The limit is 2:00.",
    "audio",
  ]);
  expect((await refusal(makeToneWav({ seconds: 122 })))[1]).toMatch(/is 2:02 long/);
});

test("blocks with timestamps that are too small are measured by their packets", async () => {
  const bytes = makeOpusWebm({ seconds: 130 });
  // Gives every cluster the same timestamp.
  for (
    let at = 0;
    (at = Buffer.from(bytes.buffer).indexOf(Buffer.from([0xe7, 0x10, 0, 0, 4]), at)) >= 0;
    at += 9
  )
    bytes.fill(0, at + 5, at + 9);
  expect((await refusal(bytes))[1]).toMatch(/is 2:10 long/);
});

test("a recording shorter than half a second is rejected", async () => {
  expect((await refusal(makeOpusWebm({ seconds: 0.48 })))[1]).toMatch(/shorter than half a second/);
  expect((await probeAudio(makeOpusWebm({ seconds: 0.5 }))).durationMs).toBe(500);
});

test("an answer may last half an hour", async () => {
  expect((await probeAudio(makeOpusWebm({ seconds: 1_800 }), ANSWER_LIMITS)).durationMs).toBe(
    1_800_000,
  );
  expect((await refusal(makeOpusWebm({ seconds: 1_802 }), ANSWER_LIMITS))[1]).toMatch(
    /is 30:02 long. The limit is 30:00/,
  );
});

test("a file over the size limit is rejected with advice before it is parsed", async () => {
  expect(await refusal(makeToneWav({ seconds: 60, rate: 96_000 }))).toEqual([
    "too_large",
    "Your file is 5.8 MB. The limit is 5.2 MB. Try exporting it as M4A, MP3 or Opus.",
    "audio",
  ]);
  expect(await refusal(new Uint8Array(MAX_CALL_BYTES + 1))).toEqual([
    "too_large",
    expect.stringMatching(/lower bit rate, up to 2 minutes/),
    "audio",
  ]);
  expect((await refusal(new Uint8Array(MAX_ANSWER_BYTES + 1), ANSWER_LIMITS))[0]).toBe("too_large");
});

test("a recording is decoded from its data URL, whatever its MIME type", () => {
  const bytes = readAudioFixture("tone-opus.ogg");
  const base64 = Buffer.from(bytes).toString("base64");
  for (const prefix of [
    "data:audio/ogg;base64,",
    "data:audio/mp3;base64,",
    "data:audio/webm;codecs=opus;base64,",
    "data:;base64,",
    "",
  ]) {
    expect([
      prefix,
      Buffer.from(decodeRecording(prefix + base64)!).equals(Buffer.from(bytes)),
    ]).toEqual([prefix, true]);
  }
  for (const invalid of [
    "",
    "data:",
    "data:audio/ogg;base64,",
    "data:audio/ogg,hello",
    "data:audio/ogg;base64",
    "!?",
  ])
    expect([invalid, decodeRecording(invalid)]).toEqual([invalid, null]);
});

test("the duration of an Opus packet follows RFC 6716", () => {
  const cases: [number | undefined, number | undefined, number][] = [
    [0b00000_000, 0, 10],
    [0b00011_000, 0, 60],
    [0b01100_000, 0, 10],
    [0b01111_000, 0, 20],
    [0b10000_000, 0, 2.5],
    [0b11111_000, 0, 20],
    [0b11111_001, 0, 40],
    [0b11111_010, 0, 40],
    [0b11111_011, 3, 60],
    [0b11111_011, 63, 120],
    [0b11111_011, undefined, 20],
    [undefined, undefined, 0],
  ];
  for (const [first, second, ms] of cases)
    expect([first, second, opusPacketMs(first, second)]).toEqual([first, second, ms]);
});
