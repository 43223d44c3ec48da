import { expect, test } from "vitest";
import { parseSiteConfig } from "#lib/core/site-config.ts";
import { siteStyle } from "./site-style.ts";

test("a site without colors and fonts of its own has no extra style", () => {
  expect(siteStyle(parseSiteConfig({}))).toBe("");
});

test("the owner's colors and fonts replace the tokens", () => {
  const css = siteStyle(
    parseSiteConfig({
      accent: { light: "#5b2a86", dark: "#c9a7f5" },
      teams: { RED: { color: { light: "#ad2a22", dark: "#ff9489" } } },
      fonts: {
        text: "Inter, sans-serif",
        files: [{ family: "Inter", file: "/fonts/inter.woff2", weight: "100 900" }],
      },
    }),
  );
  expect(css).toContain("--accent: light-dark(#5b2a86, #c9a7f5)");
  expect(css).toContain("--team-red: light-dark(#ad2a22, #ff9489)");
  expect(css).toContain("--font-text-bold: Inter, sans-serif");
  expect(css).toContain('src: url("/fonts/inter.woff2"); font-weight: 100 900');
});

test("a value can't close the style element", () => {
  for (const text of ["a}</style><script>", "a; } body { x", "url(x)"])
    expect(() => parseSiteConfig({ fonts: { text } })).toThrow(/fonts\.text: must be a CSS/);
});
