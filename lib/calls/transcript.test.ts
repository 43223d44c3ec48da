import { expect, test } from "vitest";
import { measureCpu } from "#tests/support/measure-cpu.ts";
import { pick, seededRandom } from "#tests/support/random.ts";
import { normalizeCommandOutput, normalizeTranscript } from "./normalize-transcript.ts";
import {
  MAX_TRANSCRIPT_CHARS,
  formatWebVtt,
  groupCues,
  parseCues,
  transcriptText,
  unwrapParagraphs,
} from "./transcript.ts";

const VTT = `\uFEFFWEBVTT - Episode 1\r
Kind: captions\r
\r
NOTE a comment\r
with two lines\r
\r
STYLE\r
::cue { color: red }\r
\r
intro\r
00:01.000 --> 00:02.500 align:start\r
<v.loud Ada King>How <b>do</b> you\r
name &amp; file things?</v>\r
\r
01:00:02.500 --> 01:00:04.000\r
&lt;br&gt; a --&gt; b\r
`;

test("WebVTT is read with its speakers, without tags, comments and styles", () => {
  expect(parseCues(VTT)).toEqual([
    {
      startMs: 1_000,
      endMs: 2_500,
      speaker: "Ada King",
      text: "How do you name & file things?",
    },
    { startMs: 3_602_500, endMs: 3_604_000, speaker: "", text: "<br> a --> b" },
  ]);
});

test("SubRip is read with its speakers, and stored as WebVTT", () => {
  const srt =
    "1\n00:00:00,000 --> 00:00:02,760\nSarah: In <i>today's</i> episode,\nyou'll learn\n\n2\n00:00:02,760 --> 00:00:03,000 X1:1\n{\\an8}This is it: the end\n";
  const cues = [
    {
      startMs: 0,
      endMs: 2_760,
      speaker: "Sarah",
      text: "In today's episode, you'll learn",
    },
    { startMs: 2_760, endMs: 3_000, speaker: "", text: "This is it: the end" },
  ];
  expect(parseCues(srt)).toEqual(cues);
  expect(normalizeTranscript(srt)).toBe(
    "WEBVTT\n\n00:00:00.000 --> 00:00:02.760\n<v Sarah>In today's episode, you'll learn\n\n00:00:02.760 --> 00:00:03.000\nThis is it: the end\n",
  );
});

test("what whisper.cpp prints is stored as WebVTT", () => {
  expect(
    normalizeCommandOutput(
      "\n[00:00:00.000 --> 00:00:11.000]   And so my fellow Americans,\n[00:00:11.000 --> 00:00:12.500]  ask not\n",
    ),
  ).toBe(
    "WEBVTT\n\n00:00:00.000 --> 00:00:11.000\nAnd so my fellow Americans,\n\n00:00:11.000 --> 00:00:12.500\nask not\n",
  );
  expect(normalizeCommandOutput("just words\n")).toBe("just words");
});

test("other text stays as it is", () => {
  for (const text of ["", "Ada: How?\n\nGrace: So.", "At 00:01.000 --> it began", "1\n\n2"]) {
    expect(parseCues(text), text).toBeNull();
    expect(normalizeTranscript(text), text).toBe(text);
    expect(transcriptText(text), text).toBe(text);
  }
});

test("for search, each paragraph of a wrapped transcript becomes one line", () => {
  const wrapped = "Ada: How does\na lease\n  end?\n \n\nGrace: It\nexpires.";
  expect(transcriptText(wrapped)).toBe(wrapped);
  expect(unwrapParagraphs(wrapped)).toBe("Ada: How does a lease end?\n\nGrace: It expires.");
});

test("WebVTT without a cue, or longer than the limit, is refused with the field", () => {
  for (const text of [
    "WEBVTT\n\nHello",
    "WEBVTT\n\n00:00:01.000 --> 00:00:02.000",
    `WEBVTT\n\n${"00:01.0 --> 00:02.0\na\n\n".repeat(MAX_TRANSCRIPT_CHARS / 20)}`,
  ])
    expect(() => normalizeTranscript(text), text.slice(0, 60)).toThrow(
      expect.objectContaining({ code: "invalid", field: "transcript" }) as Error,
    );
});

test("cues that are written are read again, whatever their text", () => {
  const random = seededRandom(11);
  const pieces = ["-->", "<v X>", "&amp;", "<", ">", "a", "é", "数", "00:00:01.000", "NOTE", ": "];
  for (let round = 0; round < 200; round++) {
    const cues = Array.from({ length: 3 }, (_, i) => ({
      startMs: i * 1_000 + Math.floor(random() * 1_000),
      endMs: i * 1_000 + 1_999,
      speaker: "Ada & <Co>",
      text: Array.from({ length: 4 }, () => pick(random, pieces))
        .join(" ")
        .replace(/\s+/g, " ")
        .trim(),
    }));
    expect(parseCues(formatWebVtt(cues))).toEqual(cues);
  }
});

test("hostile text is read in linear time", () => {
  for (const text of [
    `WEBVTT\n\n00:01.000 --> 00:02.000\n<v${" ".repeat(200_000)}`,
    `WEBVTT\n\n${"<".repeat(200_000)}`,
    `${"\n ".repeat(100_000)}x`,
    `WEBVTT\n\n00:01.000 --> 00:02.000\n${"{\\".repeat(100_000)}`,
    " ".repeat(200_000),
  ]) {
    expect(measureCpu(() => parseCues(text))).toBeLessThan(2_000_000);
  }
});

test("cues of a speaker become paragraphs that end with a sentence", () => {
  const cue = (startMs: number, speaker: string, text: string) => ({
    startMs,
    endMs: startMs + 1_000,
    speaker,
    text,
  });
  const long = `${"word ".repeat(60)}end.`;
  const cues = [
    cue(0, "Ada", "How do"),
    cue(1_000, "Ada", "you do?"),
    cue(2_000, "Grace", long),
    cue(3_000, "Grace", "Next."),
  ];
  expect(groupCues(cues)).toEqual([
    { startMs: 0, endMs: 2_000, speaker: "Ada", text: "How do you do?" },
    cues[2],
    cues[3],
  ]);
  expect(transcriptText(formatWebVtt(cues))).toBe(
    `Ada: How do you do?\n\nGrace: ${long}\n\nGrace: Next.`,
  );
});
