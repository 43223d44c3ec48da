import { expect, test } from "vitest";
import { ROLES, TEAMS, getOptionalTeam, parseTeam, isRole, isTeam } from "./team.ts";

const strangers = [undefined, null, "", "red", "GREEN", "UNKNOWN", "toString", 0, {}, ["RED"]];

test("the teams are red, blue, yellow, in this order", () => {
  expect(TEAMS).toEqual(["RED", "BLUE", "YELLOW"]);
});

test("only a team is a team", () => {
  expect(TEAMS.map(isTeam)).toEqual([true, true, true]);
  expect(strangers.filter(isTeam)).toEqual([]);
});

test("only a role is a role", () => {
  expect(ROLES.map(isRole)).toEqual([true, true]);
  expect(strangers.filter(isRole)).toEqual([]);
});

test("a text that is no team gives null, or UNKNOWN where a team is optional", () => {
  expect(TEAMS.map(parseTeam)).toEqual(TEAMS);
  expect(TEAMS.map(getOptionalTeam)).toEqual(TEAMS);
  expect(strangers.map(parseTeam)).toEqual(strangers.map(() => null));
  expect(strangers.map(getOptionalTeam)).toEqual(strangers.map(() => "UNKNOWN"));
});
