import { expect, test } from "vitest";
import { generateSecret, hashSecret } from "./secret.ts";

test("a hash is SHA-256 in hex, like that of Postgres and sha256sum", () => {
  // printf '7c1e4f0a-3b52-4a67-9d0e-5f8a2b6c9e11' | sha256sum
  expect(hashSecret("7c1e4f0a-3b52-4a67-9d0e-5f8a2b6c9e11")).toBe(
    "63e346a22ee8209a40695d9cecd8fc2d32bbeaa0492d28a0b4bd004559da5d71",
  );
  expect(hashSecret("")).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
});

test("a secret is base64url of the requested length, and different each time", () => {
  expect(generateSecret(128)).toMatch(/^[\w-]{22}$/);
  expect(generateSecret(256)).toMatch(/^[\w-]{43}$/);
  expect(generateSecret(128)).not.toBe(generateSecret(128));
});
