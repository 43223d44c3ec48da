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

/** Why the bytes are refused: [code, message, field]. */
async function refusal(
  bytes: Uint8Array,
  limits?: typeof ANSWER_LIMITS,
): Promise<[string, string, string | undefined]> {
  const error = await probeAudio(bytes, limits).then(
    (audio) => new Error(`taken as ${JSON.stringify(audio)}`),
    (error: unknown) => error,
  );
  if (!isAppError(error)) throw error;
  return [error.code, error.message, error.field];
}

const good: [string, string, string, string, number][] = [
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
for (const [name, contentType, extension, codec, durationMs] of good) {
  test(`${name} is what its bytes say`, async () => {
    const bytes = readAudioFixture(name);
    const audio = await probeAudio(bytes);
    expect(audio).toEqual({ contentType, extension, codec, durationMs: expect.any(Number) });
    expect(Math.abs(audio.durationMs - durationMs)).toBeLessThan(30);
    expect(sniffAudio(bytes)).toEqual({ contentType, extension });
  });
}

test("an independent reader finds the same durations", async () => {
  // It reads no WebM of unknown size, as browsers record it, and no fragments.
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

const bad: [string, RegExp][] = [
  ["film.webm", /This is a film/],
  ["film.mp4", /This is a film/],
  ["film.ogv", /This is a film/],
  ["tone-mulaw.wav", /this WAV file is of a kind/],
  ["tone-alac.m4a", /this M4A file is of a kind/],
  ["tone.mka", /this Matroska file is of a kind/],
  ["tone.aac", /bare AAC/],
];
for (const [name, reason] of bad) {
  test(`${name} is refused with the way out`, async () => {
    expect(await refusal(readAudioFixture(name))).toEqual([
      "invalid",
      expect.stringMatching(reason),
      "audio",
    ]);
  });
}

const text = (content: string) => new TextEncoder().encode(content);
const strangers: [string, Uint8Array][] = [
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
for (const [what, bytes] of strangers) {
  test(`${what} is no recording`, async () => {
    expect(await refusal(bytes)).toEqual([
      "invalid",
      expect.stringMatching(/not a recording that we know/),
      "audio",
    ]);
    expect(sniffAudio(bytes)).toBeNull();
  });
}

test("nothing is no recording", async () => {
  expect(await refusal(new Uint8Array())).toEqual([
    "invalid",
    "The recording is empty. Record it again.",
    "audio",
  ]);
  expect(sniffAudio(new Uint8Array())).toBeNull();
});

for (const [name] of good) {
  test(`the head of ${name} alone is refused`, async () => {
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
  test(`${name} that was cut off in the middle has the half that can be played`, async () => {
    const bytes = readAudioFixture(name);
    const { durationMs } = await probeAudio(bytes.subarray(0, Math.round(bytes.length * 0.6)));
    expect(durationMs).toBeGreaterThan(500);
    expect(durationMs).toBeLessThan(1_700);
  });
}

test("a FLAC file that was cut off has the frames before the cut", async () => {
  const bytes = readAudioFixture("tone.flac");
  expect((await probeAudio(bytes.subarray(0, bytes.length - 2_500))).durationMs).toBeLessThan(
    1_600,
  );
});

test("an M4A file that was cut off is refused: its table says more than is there", async () => {
  const bytes = readAudioFixture("tone.m4a");
  expect(await refusal(bytes.subarray(0, bytes.length - 2_000))).toEqual([
    "invalid",
    expect.stringMatching(/M4A file is damaged or was cut off/),
    "audio",
  ]);
});

test("a WAV file lasts as long as its samples, whatever its header says", async () => {
  const bytes = makeToneWav({ seconds: 3 });
  const view = new DataView(bytes.buffer);
  for (const lie of [0, 0xffffffff, 0x7fffffff]) {
    view.setUint32(40, lie, true);
    expect((await probeAudio(bytes)).durationMs).toBe(3_000);
  }
  expect((await probeAudio(bytes.subarray(0, 44 + 8_000))).durationMs).toBe(1_000);
});

test("a duration in the header of a WebM file is not believed", async () => {
  const bytes = readAudioFixture("tone-opus.webm");
  const at = Buffer.from(bytes).indexOf(Buffer.from([0x44, 0x89, 0x88]));
  expect(at).toBeGreaterThan(0);
  new DataView(bytes.buffer).setFloat64(at + 3, 9e9);
  expect(Math.abs((await probeAudio(bytes)).durationMs - 2_000)).toBeLessThan(30);
});

test("two minutes are taken, with a second for a recorder that stops late", async () => {
  for (const seconds of [119.9, 120, 120.98])
    expect((await probeAudio(makeOpusWebm({ seconds }))).durationMs).toBe(seconds * 1000);
  expect(await refusal(makeOpusWebm({ seconds: 121.02 }))).toEqual([
    "invalid",
    "The recording lasts 2:02 minutes; at most 2 minutes fit. Make it shorter.",
    "audio",
  ]);
  expect((await refusal(makeToneWav({ seconds: 122 })))[1]).toMatch(/lasts 2:02 minutes/);
});

test("blocks whose times say less than they play are counted by what they play", async () => {
  const bytes = makeOpusWebm({ seconds: 130 });
  // Every cluster at the same time.
  for (
    let at = 0;
    (at = Buffer.from(bytes.buffer).indexOf(Buffer.from([0xe7, 0x10, 0, 0, 4]), at)) >= 0;
    at += 9
  )
    bytes.fill(0, at + 5, at + 9);
  expect((await refusal(bytes))[1]).toMatch(/lasts 2:10 minutes/);
});

test("less than half a second is refused", async () => {
  expect((await refusal(makeOpusWebm({ seconds: 0.48 })))[1]).toMatch(/shorter than half a second/);
  expect((await probeAudio(makeOpusWebm({ seconds: 0.5 }))).durationMs).toBe(500);
});

test("an answer may last half an hour", async () => {
  expect((await probeAudio(makeOpusWebm({ seconds: 1_800 }), ANSWER_LIMITS)).durationMs).toBe(
    1_800_000,
  );
  expect((await refusal(makeOpusWebm({ seconds: 1_802 }), ANSWER_LIMITS))[1]).toMatch(
    /lasts 30:02 minutes; at most 30 minutes fit/,
  );
});

test("more bytes than fit are refused before they are read, with the way out", async () => {
  expect(await refusal(makeToneWav({ seconds: 60, rate: 96_000 }))).toEqual([
    "too_large",
    "The recording has 5.8 MB; at most 5.2 MB fit. Export it as M4A, MP3 or Opus: the same sound in a tenth of the size.",
    "audio",
  ]);
  expect(await refusal(new Uint8Array(MAX_CALL_BYTES + 1))).toEqual([
    "too_large",
    expect.stringMatching(/for 2 minutes at most/),
    "audio",
  ]);
  expect((await refusal(new Uint8Array(MAX_ANSWER_BYTES + 1), ANSWER_LIMITS))[0]).toBe("too_large");
});

test("a recording comes out of its data URL, whatever the URL calls it", () => {
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
  for (const nothing of [
    "",
    "data:",
    "data:audio/ogg;base64,",
    "data:audio/ogg,hello",
    "data:audio/ogg;base64",
    "!?",
  ])
    expect([nothing, decodeRecording(nothing)]).toEqual([nothing, null]);
});

test("Opus packets last what RFC 6716 says", () => {
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
