import { expect, test } from "vitest";
import { emailField, uuidField, singleLineField, multiLineField } from "./validate.ts";

const title = singleLineField({ label: "The title", minLength: 5, maxLength: 50 });
const problem = (result: { success: boolean; error?: { issues: { message: string }[] } }) =>
  result.error?.issues[0]?.message;

test("a line is trimmed, its spaces are collapsed, and its length is in code points", () => {
  expect(title.parse("  Why \n\t SQLite?  ")).toBe("Why SQLite?");
  expect(title.parse("😀".repeat(50))).toBe("😀".repeat(50));
  expect(problem(title.safeParse("😀".repeat(51)))).toBe("Maximum 50 characters (you have 51).");
  expect(problem(title.safeParse("Why?"))).toBe("Use at least 5 characters (you have 4).");
  expect(problem(title.safeParse("   "))).toBe("The title is missing.");
  expect(problem(title.safeParse(undefined))).toBe("The title is missing.");
  expect(problem(title.safeParse("x".repeat(3_000)))).toBe("Maximum 50 characters.");
});

test("control characters, direction marks and lone surrogates are refused", () => {
  for (const text of ["hello\u0000world", "hello\u001bworld", "hello\u202eworld"])
    expect(problem(title.safeParse(text))).toMatch(/invalid character/);
  expect(problem(title.safeParse("hello \ud800 world"))).toMatch(/invalid character/);
  expect(multiLineField({ label: "The text", maxLength: 100 }).parse("a\r\nb\rc")).toBe("a\nb\nc");
});

test("characters that no one sees don't count, but are allowed next to others", () => {
  for (const invisible of [
    "\u200b",
    "\u3164",
    "\u2800",
    "\u00ad",
    "\u2060",
    "\u{e0041}",
    "\u034f",
  ]) {
    expect(problem(title.safeParse(invisible.repeat(10)))).toBe("The title is missing.");
    expect(problem(title.safeParse(`${invisible} ${invisible}`))).toBe("The title is missing.");
    expect(problem(title.safeParse(`ab${invisible.repeat(8)}`))).toBe(
      "Use at least 5 characters (you have 2).",
    );
  }
  for (const text of ["I ♥ SQL 👩‍💻", "नमस्ते", "می‌خواهم"]) expect(title.parse(text)).toBe(text);
});

test("an email address is lowercased and validated", () => {
  expect(emailField().safeParse("ada").error?.issues[0]?.message).toBe(
    "Enter a valid email address, such as ada@example.com.",
  );
  expect(emailField().parse(" Ada@Example.COM ")).toBe("ada@example.com");
  for (const text of [
    "",
    "ada",
    "ada@",
    "@example.com",
    "a b@example.com",
    "ada@example.com\nbcc: b@example.com",
    `${"a".repeat(250)}@example.com`,
    `${"a".repeat(65)}@example.com`,
    "ada@exam_ple.com",
    "ada@example.com,eve@example.com",
    '"a b"@example.com',
    "ada@-example.com",
    "jörg@example.com",
  ])
    expect(emailField().safeParse(text).success, text).toBe(false);
});

test("an email address is what a browser accepts", () => {
  for (const text of [
    "a&b@example.com",
    "first=last@example.com",
    "a/b@example.com",
    "!#$%&'*+/=?^_`{|}~.-@example.com",
    "ivan@xn--e1afmkfd.xn--p1ai",
    "ada@localhost",
    "a..b.@example.com",
    `${"a".repeat(64)}@example.com`,
  ])
    expect(emailField().parse(text)).toBe(text);
  expect(emailField().parse("Ivan@Пример.РФ")).toBe("ivan@xn--e1afmkfd.xn--p1ai");
});

test("an ID is a UUID", () => {
  expect(uuidField().parse("7B9E4F9A-6D0C-4E55-9F43-0E2C7E0B5A11")).toBe(
    "7b9e4f9a-6d0c-4e55-9f43-0e2c7e0b5a11",
  );
  for (const text of ["", "1", "' OR 1=1", undefined])
    expect(uuidField().safeParse(text).success).toBe(false);
});
