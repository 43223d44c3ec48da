import { expect, test } from "vitest";
import { describeStandings } from "./standings-list.tsx";

const of = (team: "RED" | "BLUE" | "YELLOW", ratio: number) => ({
  team,
  ratio,
  reads: ratio * 4,
  members: 4,
});

test("the sentence names the leader and the ratio", () => {
  expect(describeStandings([of("BLUE", 1.5), of("RED", 1), of("YELLOW", 0)], "this post")).toBe(
    "Blue leads this post with 1.50 reads for each of its active members.",
  );
});

test("a tie is said, and so is that nobody leads", () => {
  expect(describeStandings([of("RED", 1), of("BLUE", 1), of("YELLOW", 0)], "the site")).toContain(
    "as many as Blue",
  );
  expect(describeStandings([of("RED", 0), of("BLUE", 0), of("YELLOW", 0)], "the site")).toMatch(
    /^No team leads/,
  );
});
