import { afterEach, expect, test } from "vitest";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";
import { sampleIndex } from "#tests/support/sample-posts.ts";
import { listMonths, listYears } from "./archive.ts";
import { findTopic, listTopics, selectTopic, topicPath } from "./topics.ts";

afterEach(() => overrideSiteConfig());

test("every topic is found at the path that links to it, whatever it is called", () => {
  const names = [
    "SQLite",
    "C++",
    "C#",
    "Next.js",
    "Remote work",
    "日本語",
    "a/b",
    "100%",
    "?",
    "..",
  ];
  const index = sampleIndex({ categories: names });
  for (const name of listTopics(index).values()) {
    const path = topicPath(name);
    expect(path, name).toMatch(/^\/blog\/topics\/[^/?#\s]+$/);
    const slug = decodeURIComponent(path.split("/").at(-1)!);
    expect(findTopic(index, slug)?.name).toBe(name);
  }
  expect(findTopic(index, "sqlite")?.name).toBe("SQLite");
  expect(findTopic(index, "nothing")).toBeNull();
});

test("a topic with only drafts and unlisted posts has no page", () => {
  const index = sampleIndex(
    { categories: ["Secret"], draft: true },
    { categories: ["Hidden"], unlisted: true },
  );
  expect(findTopic(index, "secret")).toBeNull();
  expect(findTopic(index, "hidden")).toBeNull();
});

test("the owner can give a topic a title and a text", () => {
  overrideSiteConfig({ topics: { SQLITE: { title: "All about SQLite", text: "One file." } } });
  const index = sampleIndex({ categories: ["sqlite", "Fly"] });
  expect(findTopic(index, "sqlite")).toMatchObject({
    name: "sqlite",
    title: "All about SQLite",
    text: "One file.",
  });
  expect(findTopic(index, "fly")).toEqual({ name: "Fly", title: "Fly", text: undefined });
});

test("a topic's index has its posts, ignoring case", () => {
  const index = sampleIndex(
    { slug: "a", categories: ["SQLite"] },
    { slug: "b", categories: ["sqlite", "Fly"] },
    { slug: "c", categories: ["Fly"] },
  );
  expect(selectTopic(index, "SQLite").posts.map(({ slug }) => slug)).toEqual(["a", "b"]);
});

test("the archive has the listed posts by year and month, newest first", () => {
  const index = sampleIndex(
    { slug: "a", date: "2025-12-31" },
    { slug: "b", date: "2026-03-01" },
    { slug: "c", date: "2026-03-09" },
    { slug: "d", date: "2026-01-01" },
    { slug: "draft", date: "2024-01-01", draft: true },
  );
  expect(listYears(index)).toEqual([
    { year: "2026", count: 3 },
    { year: "2025", count: 1 },
  ]);
  expect(
    listMonths(index, "2026").map(({ month, posts }) => [month, ...posts.map(({ slug }) => slug)]),
  ).toEqual([
    ["2026-03", "c", "b"],
    ["2026-01", "d"],
  ]);
  expect(listMonths(index, "2024")).toEqual([]);
});
