import { expect, test } from "vitest";
import { describeStandings, leadingTeam } from "./standings-list.tsx";

const standing = (team: "RED" | "BLUE" | "YELLOW", readsPerMember: number) => ({
  team,
  readsPerMember,
  reads: readsPerMember * 4,
  members: 4,
  memberTime: 4,
});

test("the sentence names the leading team and its reads per member", () => {
  const standings = [standing("BLUE", 1.25), standing("RED", 1), standing("YELLOW", 0)];
  expect(describeStandings(standings)).toBe(
    "Blue leads the site with 1.25 reads per active member.",
  );
});

test("the sentence names all teams of a tie", () => {
  const tie = [standing("BLUE", 1), standing("YELLOW", 1), standing("RED", 0)];
  expect(describeStandings(tie)).toMatch(/^Blue and Yellow are tied/);
  const all = [standing("RED", 1), standing("BLUE", 1), standing("YELLOW", 1)];
  expect(describeStandings(all)).toMatch(/^Red, Blue and Yellow are tied/);
});

test("a page takes the color of a leader, and of no team in a tie", () => {
  expect(leadingTeam([standing("BLUE", 2), standing("RED", 1)])).toBe("BLUE");
  expect(leadingTeam([standing("BLUE", 1), standing("RED", 1)])).toBeUndefined();
  expect(leadingTeam([standing("BLUE", 0), standing("RED", 0)])).toBeUndefined();
  expect(leadingTeam([])).toBeUndefined();
});

test("the sentence says that no team leads without reads", () => {
  const none = [standing("RED", 0), standing("BLUE", 0), standing("YELLOW", 0)];
  for (const standings of [none, []])
    expect(describeStandings(standings)).toMatch(/^No team is leading the site yet/);
});
