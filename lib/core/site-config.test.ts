import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";
import { BACKGROUNDS, contrastRatio } from "./color.ts";
import { checkSiteConfig, loadSiteConfig, parseSiteConfig, siteConfig } from "./site-config.ts";

afterEach(() => overrideSiteConfig());

const writeConfig = (text: string) => {
  const file = join(mkdtempSync(join(tmpdir(), "lectern-config-")), "site.config.ts");
  writeFileSync(file, text);
  return file;
};

test("the example's site.config.ts is valid, and every field is optional", () => {
  expect(loadSiteConfig(join(process.cwd(), "site.config.ts")).name).toBe("Lectern");
  expect(parseSiteConfig({})).toMatchObject({
    language: "en",
    author: { name: "Lectern", links: [] },
    images: { hosts: [], rewrites: [] },
    content: { trust: "trusted", address: "/blog/:slug", redirects: "content/_redirects" },
    features: { teams: true, calls: true, members: true, newsletter: true },
  });
});

test("the file of SITE_CONFIG is TypeScript that Node runs", () => {
  const file = writeConfig(
    `const name: string = "Ada's notes";\nexport default { name, author: { name: "Ada" } };\n`,
  );
  overrideEnv({ SITE_CONFIG: file });
  expect([siteConfig.name, siteConfig.author.name]).toEqual(["Ada's notes", "Ada"]);
});

test("one message names the file and every invalid field with its fix", () => {
  const wrong = () =>
    parseSiteConfig({
      nmae: "Ada",
      name: "",
      language: "x_y",
      author: { email: "ada" },
      editUrl: "https://example.com/{file}",
      images: { hosts: ["https://cdn.example"] },
      content: { trust: "yes", address: "/blog" },
    });
  for (const line of [
    /^site\.config\.ts is invalid\.\n/,
    /nmae: is not a field/,
    /name: must not be empty/,
    /language: must be a language tag such as en/,
    /author\.email: must be an email address such as/,
    /editUrl: \{file\} is unknown; use \{url\}, \{slug\}, \{path\}, \{title\}/,
    /images\.hosts\.0: must be a host such as/,
    /content\.trust: must be "trusted" or "strict"/,
    /content\.address: must be a path that ends with :slug/,
  ])
    expect(wrong).toThrow(line);
});

test("a file that is missing, broken or without a default export is reported", () => {
  expect(() => loadSiteConfig("/nowhere/site.config.ts")).toThrow(
    /^\/nowhere\/site\.config\.ts can't be loaded/,
  );
  expect(() => loadSiteConfig(writeConfig("export default {"))).toThrow(/can't be loaded/);
  expect(() => loadSiteConfig(writeConfig("export const name = 1;"))).toThrow(
    /has no default export/,
  );
});

test("a podcast has up to three categories of directories, which subcategories may narrow", () => {
  const categories = (category: unknown) =>
    parseSiteConfig({ podcast: { category } }).podcast.category;
  expect(parseSiteConfig({}).podcast.category).toMatchObject([{ category: "Technology" }]);
  expect(categories(["Society & Culture > Documentary", "News"])).toEqual([
    { category: "Society & Culture", subcategory: "Documentary" },
    { category: "News", subcategory: undefined },
  ]);
  for (const unknown of ["Tech", "News > Documentary", "News > Tech News > x", "constructor", []])
    expect(() => categories(unknown), String(unknown)).toThrow(
      /podcast\.category: ("|must be a category)/,
    );
});

test("a font that is not in public is reported at startup", () => {
  overrideSiteConfig({ fonts: { files: [{ family: "Inter", file: "/fonts/none.woff2" }] } });
  expect(checkSiteConfig).toThrow(/fonts\.files: public\/fonts\/none\.woff2 doesn't exist/);
});

test("one color gets a readable shade of its hue for each theme", () => {
  const { accent, teams } = parseSiteConfig({
    accent: "#FFD700",
    teams: { RED: { name: "Cats", color: "#1a5b4a" } },
  });
  expect(accent!.dark).toBe("#ffd700");
  expect(teams.RED!.color!.light).toBe("#1a5b4a");
  for (const colors of [accent!, teams.RED!.color!])
    for (const theme of ["light", "dark"] as const)
      expect(contrastRatio(colors[theme], BACKGROUNDS[theme])).toBeGreaterThanOrEqual(4.5);
});

test("a color for one theme that can't be read there is refused with a shade that can", () => {
  const parse = (light: string) =>
    parseSiteConfig({ teams: { BLUE: { color: { light, dark: "#93b8ff" } } } });
  let message = "";
  try {
    parse("#93b8ff");
  } catch (error) {
    message = (error as Error).message;
  }
  const shade = /teams\.BLUE\.color\.light: #93b8ff has .* shade is (#\w{6})/.exec(message)?.[1];
  expect(parse(shade!).teams.BLUE!.color!.light).toBe(shade);
});

test("without members there are neither teams nor calls, nor links to them", () => {
  expect(parseSiteConfig({ features: { members: false } }).features).toEqual({
    members: false,
    teams: false,
    calls: false,
    newsletter: false,
  });
  for (const url of ["/teams", "/teams#now", "/teams?from=header"])
    expect(() =>
      parseSiteConfig({
        features: { teams: false },
        header: { links: [{ label: "Teams", url }] },
      }),
    ).toThrow(`header.links.0.url: ${url} doesn't exist because features.teams is off`);
});
