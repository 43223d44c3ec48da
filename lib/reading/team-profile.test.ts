import { expect, test } from "vitest";
import { listTeamNames } from "./team-profile.ts";

test("team names are joined as in a sentence", () => {
  expect(listTeamNames(["RED"], "and")).toBe("Red");
  expect(listTeamNames(["RED", "BLUE"], "and")).toBe("Red and Blue");
  expect(listTeamNames(["RED", "BLUE", "YELLOW"], "or")).toBe("Red, Blue or Yellow");
});
