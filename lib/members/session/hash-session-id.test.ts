import { expect, test } from "vitest";
import { hashSessionId } from "./hash-session-id.ts";

test("a session's key is the SHA-256 of its id, as Postgres and sha256sum write it", () => {
  // printf '7c1e4f0a-3b52-4a67-9d0e-5f8a2b6c9e11' | sha256sum
  expect(hashSessionId("7c1e4f0a-3b52-4a67-9d0e-5f8a2b6c9e11")).toBe(
    "63e346a22ee8209a40695d9cecd8fc2d32bbeaa0492d28a0b4bd004559da5d71",
  );
  expect(hashSessionId("")).toBe(
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  );
});
