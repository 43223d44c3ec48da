import { expect, test } from "vitest";
import { TEAMS, parseTeam } from "./team.ts";

test("the teams are red, blue and yellow, in this order", () => {
  expect(TEAMS).toEqual(["RED", "BLUE", "YELLOW"]);
});

test("only a team's name is parsed as a team", () => {
  expect(TEAMS.map(parseTeam)).toEqual(TEAMS);
  for (const other of [undefined, null, "", "red", "GREEN", "UNKNOWN", "toString", 0, {}, ["RED"]])
    expect(parseTeam(other)).toBeNull();
});
