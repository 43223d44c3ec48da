import { expect, test } from "vitest";
import { htmlFrom } from "#tests/support/compile-text.ts";
import { readCodeNotation } from "./code-notation.ts";

/** Returns the code with +, - or ! in front of added, removed and highlighted lines. */
function read(source: string): string {
  const { code, added, removed, highlighted } = readCodeNotation(source);
  const lines = code.split("\n").map((line, index) => {
    const number = index + 1;
    const marks = [added, removed, highlighted].map((set, kind) =>
      set.has(number) ? "+-!"[kind] : "",
    );
    return `${marks.join("")}${line}`;
  });
  return lines.join("\n");
}

test.each([
  ["// [!code ++]", "+a"],
  ["// [!code --]", "-a"],
  ["// [!code highlight]", "!a"],
  ["// [!code hl]", "!a"],
  ["// [!code focus]", "!a"],
  ["// [!code error]", "!a"],
  ["// [!code warning]", "!a"],
  ["// [!code word:a]", "!a"],
  ["// [!code ++] [!code hl]", "+!a"],
  ["//[!code ++]", "+a"],
  ["/* [!code ++] */", "+a"],
  ["{/* [!code ++] */}", "+a"],
  ["<!-- [!code --] -->", "-a"],
  ["# [!code ++]", "+a"],
  ["-- [!code --]", "-a"],
  ["; [!code ++]", "+a"],
  ["% [!code ++]", "+a"],
  ["// [!code other]", "a // [!code other]"],
  ["[!code ++]", "a [!code ++]"],
  ["// [!!code ++]", "a // [!code ++]"],
])("Shiki's comment %j marks its line", (comment, expected) => {
  expect(read(`a ${comment}\nb`)).toBe(`${expected}\nb`);
});

test("a Shiki comment can mark several lines, or the lines below it", () => {
  expect(read("a // [!code ++:2]\nb\nc")).toBe("+a\n+b\nc");
  expect(read("  # [!code highlight:2]\na\nb\nc")).toBe("!a\n!b\nc");
  expect(read("# [!code ++]\n# [!code hl]\na\nb")).toBe("+!a\nb");
  expect(read("// [!code word:x\\:y]\nx:y\nz\n(x:y)")).toBe("!x:y\nz\n!(x:y)");
  expect(read("// [!code word:x:1]\nx\nx")).toBe("!x\nx");
});

test.each(["// ?", "/* ? */", "{/* ? */}", "# ?", "<!-- ? -->", "-- ?", "(* ? *)", "REM ?"])(
  "Docusaurus' comments in the form %j are not shown, and highlight the lines below",
  (form) => {
    const comment = (name: string) => `  ${form.replace("?", `highlight-${name}`)}`;
    expect(read(["a", comment("next-line"), "b", "c"].join("\n"))).toBe("a\n!b\nc");
    expect(read(["a", comment("start"), "b", "", "c", comment("end"), "d"].join("\n"))).toBe(
      "a\n!b\n!\n!c\nd",
    );
  },
);

test("text that only resembles a comment stays", () => {
  for (const code of ["highlight-start", "run() // highlight-start", "// highlight-nothing"])
    expect(read(code)).toBe(code);
});

test("comments that mark lines are not shown", async () => {
  const body = "```js\nconst a = 1; // [!code --]\n// highlight-next-line\nconst b = 2;\n```\n";
  const html = await htmlFrom(body);
  expect(html).toMatch(/<span class="line removed">.*\n<span class="line highlighted">/);
  expect(html).not.toMatch(/!code|highlight-next/);
});

test("comments can mark lines of a diff", async () => {
  expect(await htmlFrom("```diff-text\n+a\n # [!code hl]\n b\n-c\n```\n")).toContain(
    '<span class="line added">a</span>\n<span class="line highlighted">b</span>\n<span class="line removed">c</span>',
  );
});

test("long lines are read in linear time", () => {
  const spaces = " ".repeat(100_000);
  for (const line of [
    `a${spaces}b [!code `,
    `// [!code hl]${spaces}x`,
    "# [!code hl]".repeat(8_000) + "x",
  ])
    expect(read(line)).toBe(line);
}, 10_000);
