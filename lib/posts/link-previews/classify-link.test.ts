import { expect, test } from "vitest";
import { classifyLink } from "./classify-link.ts";
import { isPlayerUrl } from "./player-hosts.ts";

test.each([
  ["https://twitter.com/kentcdodds/status/1236665234010189825", "tweet", "1236665234010189825"],
  ["https://x.com/dan_abramov/status/123?s=20", "tweet", "123"],
  ["https://mobile.twitter.com/a/statuses/9", "tweet", "9"],
  ["https://x.com/i/web/status/77", "tweet", "77"],
  ["https://www.youtube.com/watch?v=dQw4w9WgXcQ", "youtube", "dQw4w9WgXcQ"],
  ["https://m.youtube.com/watch?list=PLx0123456789&v=dQw4w9WgXcQ", "youtube", "dQw4w9WgXcQ"],
  ["https://youtu.be/dQw4w9WgXcQ?t=1m30s", "youtube", "dQw4w9WgXcQ"],
  ["https://www.youtube.com/shorts/dQw4w9WgXcQ", "youtube", "dQw4w9WgXcQ"],
  ["https://www.youtube.com/live/dQw4w9WgXcQ?feature=share", "youtube", "dQw4w9WgXcQ"],
  [
    "https://www.youtube.com/playlist?list=PLV5CVI1eNcJi8sor_aQ2AV1nRjp4QEQRq",
    "youtube",
    "PLV5CVI1eNcJi8sor_aQ2AV1nRjp4QEQRq",
  ],
  ["https://codesandbox.io/s/react-new-abc12", "codesandbox", "react-new-abc12"],
  ["https://codesandbox.io/p/sandbox/quiet-sea-x1y2z3", "codesandbox", "quiet-sea-x1y2z3"],
  ["https://codepen.io/team/codepen/pen/PNaGbb", "codepen", "PNaGbb"],
  ["https://codepen.io/chriscoyier/full/AbCdEf", "codepen", "AbCdEf"],
])("%s is a %s", (url, kind, id) => {
  const link = classifyLink(url)!;
  expect(link).toMatchObject({ kind, id });
  if (kind !== "tweet") expect(isPlayerUrl(link.playerUrl!)).toBe(true);
});

test.each([
  "https://twitter.com/kentcdodds",
  "https://twitter.com.evil.example/a/status/1",
  "https://evil.example/twitter.com/a/status/1",
  "https://www.youtube.com/@channel",
  "https://www.youtube.com/watch?v=short",
  "https://www.youtube.com/watch?v=%22%3E%3Cscript",
  "https://notyoutube.com/watch?v=dQw4w9WgXcQ",
  "https://codesandbox.io/dashboard",
  "https://codepen.io/user",
  "https://example.com/a",
])("%s is a page without a player", (url) => {
  expect(classifyLink(url)).toMatchObject({ kind: "page" });
  expect(classifyLink(url)).not.toHaveProperty("playerUrl");
});

test.each([
  "mailto:a@b.c",
  "javascript:alert(1)",
  "file:///etc/passwd",
  "/relative",
  "not a url",
  "",
])("%j is not a link", (text) => {
  expect(classifyLink(text)).toBeNull();
});

test("a video starts at the link's time", () => {
  expect(classifyLink("https://youtu.be/dQw4w9WgXcQ?t=1h2m3s")!.playerUrl).toBe(
    "https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?autoplay=1&start=3723",
  );
  expect(classifyLink("https://youtu.be/dQw4w9WgXcQ?t=90")!.playerUrl).toContain("start=90");
  expect(classifyLink("https://youtu.be/dQw4w9WgXcQ?t=soon")!.playerUrl).not.toContain("start");
});

test.each([
  "http://codepen.io/a",
  "https://codepen.io:444/a",
  "https://evil.example/",
  "javascript:alert(1)",
  "https://codepen.io.evil.example/",
  "https://user@evil.example/",
])("%s is never framed", (url) => {
  expect(isPlayerUrl(url)).toBe(false);
});
