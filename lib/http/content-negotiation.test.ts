import { expect, test } from "vitest";
import { acceptedEncodings, acceptedTypes } from "./content-negotiation.ts";

test("refused types and codings are removed", () => {
  expect(acceptedTypes("text/markdown;q=0")).toBe("");
  expect(acceptedTypes("text/markdown; Q=0.000, */*")).toBe("*/*");
  expect(acceptedTypes("text/html, text/markdown; charset=utf-8; q=0")).toBe("text/html");
  expect(acceptedEncodings("br;q=0")).toBe("");
  expect(acceptedEncodings("gzip, br; q=0.0, *;q=0")).toBe("gzip");
});

test("accepted types and codings are unchanged", () => {
  for (const header of [
    "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
    "text/markdown, text/html;q=0.9, */*;q=0.1",
    "text/markdown;q=0.001",
  ])
    expect(acceptedTypes(header)).toBe(header.replaceAll(",a", ", a").replaceAll(",*", ", *"));
  expect(acceptedEncodings("gzip;q=1.0, br;q=0.5")).toBe("gzip;q=1.0, br;q=0.5");
});

test("Markdown is not served to a client that prefers HTML", () => {
  expect(acceptedTypes("text/markdown;q=0.5, text/html")).toBe("text/html");
  expect(acceptedTypes("text/html, text/markdown;q=0.1")).toBe("text/html");
  expect(acceptedTypes("text/markdown;q=0.5, */*")).toBe("*/*");
  expect(acceptedTypes("text/markdown;q=0.5, text/*;q=0.8, */*;q=0.1")).not.toContain("markdown");
  expect(acceptedTypes("text/markdown;q=0.5, text/html;q=0.5")).toContain("text/markdown");
  expect(acceptedTypes("text/markdown;q=0.5, text/html;q=0.4, */*")).toContain("text/markdown");
  expect(acceptedTypes("text/markdown;q=0.5, text/html;q=0, */*")).toContain("text/markdown");
});
