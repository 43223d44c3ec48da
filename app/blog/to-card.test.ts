import { expect, test } from "vitest";
import { publicationMs } from "#lib/posts/post-dates.ts";
import { samplePost } from "#tests/support/sample-posts.ts";
import { isNewPost } from "./to-card.ts";

const post = samplePost({ slug: "a", date: "2026-11-10" });
const member = {
  id: "1",
  firstName: "Ada",
  team: "RED",
  role: "MEMBER",
  sessionKey: "key",
  loggedInAtMs: 0,
} as const;
const data = (fields: { isMember: boolean; read?: string[] }) => ({
  viewer: { member: fields.isMember ? member : null, clientId: null },
  readSlugs: new Set(fields.read),
  leadingTeams: new Map(),
});

test("a post is new to a member who last visited before it was published and has not read it", () => {
  const published = publicationMs(post);
  expect(isNewPost(post, data({ isMember: true }), published - 1)).toBe(true);
  expect(isNewPost(post, data({ isMember: true }), published)).toBe(false);
  expect(isNewPost(post, data({ isMember: true }), null)).toBe(false);
  expect(isNewPost(post, data({ isMember: true, read: ["a"] }), published - 1)).toBe(false);
  expect(isNewPost(post, data({ isMember: false }), published - 1)).toBe(false);
});
