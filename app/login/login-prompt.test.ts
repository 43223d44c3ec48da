import { expect, test } from "vitest";
import { loginPrompt } from "./login-prompt.ts";

test("who was sent to log in is told what for, and who came to log in is not", () => {
  expect(loginPrompt("/me")).toBeNull();
  expect(loginPrompt("/calls/record?x=1")).toBe(
    "To leave a call, log in or sign up; you come back here.",
  );
  expect(loginPrompt("/teams")).toMatch(/^To join a team/);
  expect(loginPrompt("/blog/a-post")).toBe("Log in or sign up; you come back to where you were.");
});
