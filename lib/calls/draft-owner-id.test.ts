import { expect, test } from "vitest";
import { draftOwnerId } from "./draft-owner-id.ts";

test("the id is stable, unique per member, and doesn't contain the member's id", () => {
  const id = "6e2f2c1e-53f0-4d2e-9a38-0f3f4f0f3a11";
  expect(draftOwnerId({ id })).toBe(draftOwnerId({ id }));
  expect(draftOwnerId({ id })).not.toBe(draftOwnerId({ id: `${id.slice(0, -1)}2` }));
  expect(draftOwnerId({ id })).not.toContain(id.slice(0, 8));
  expect(draftOwnerId({ id })).toMatch(/^[\w-]{22}$/);
});
