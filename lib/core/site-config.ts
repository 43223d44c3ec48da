// Loads site.config.ts, the owner's file, at runtime: a change needs a restart, not a build.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { env } from "./env.ts";
import { type SiteConfig, siteConfigSchema } from "./site-config-schema.ts";

/**
 * Returns the configuration that `file` exports by default. Throws one Error that lists every
 * invalid field.
 */
export function loadSiteConfig(file: string): SiteConfig {
  // Node's own require, which runs TypeScript. A bundler would replace an imported one.
  const { createRequire } = process.getBuiltinModule("node:module");
  let exported: { default?: unknown };
  try {
    exported = createRequire(file)(file) as typeof exported;
  } catch (error) {
    throw new Error(`${file} can't be loaded: ${(error as Error).message}`, { cause: error });
  }
  if (exported.default === undefined)
    throw new Error(`${file} has no default export. Write: export default defineSiteConfig({ … })`);
  return parseSiteConfig(exported.default, file);
}

/** Returns `value` with defaults. Throws one Error that names `file` and every invalid field. */
export function parseSiteConfig(value: unknown, file = "site.config.ts"): SiteConfig {
  const parsed = siteConfigSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => `${[...issue.path, key].join(".")}: is not a field; remove it`)
      : [`${issue.path.join(".") || "(all)"}: ${issue.message}`],
  );
  throw new Error(`${file} is invalid.\n${problems.map((line) => `  ${line}`).join("\n")}`);
}

let cachedConfig: SiteConfig | undefined;

function getSiteConfig(): SiteConfig {
  const file = resolve(/* turbopackIgnore: true */ process.cwd(), env.SITE_CONFIG);
  // Without the file, every field has its default. A file that SITE_CONFIG names must exist.
  return existsSync(file) || env.SITE_CONFIG !== "site.config.ts"
    ? loadSiteConfig(file)
    : parseSiteConfig({});
}

/** The owner's configuration, loaded on first use. */
export const siteConfig: SiteConfig = new Proxy({} as SiteConfig, {
  get(_, key) {
    cachedConfig ??= getSiteConfig();
    return cachedConfig[key as keyof SiteConfig];
  },
});

/**
 * Throws one Error if the configuration can't be loaded, is invalid, or names a font that is not in
 * public/. Called at the start of every program that serves the site.
 */
export function checkSiteConfig(): void {
  cachedConfig ??= getSiteConfig();
  const missing = cachedConfig.fonts.files.filter(
    ({ file }) => !existsSync(join(/* turbopackIgnore: true */ process.cwd(), "public", file)),
  );
  if (missing.length > 0)
    throw new Error(
      `${env.SITE_CONFIG} is invalid.\n${missing.map(({ file }) => `  fonts.files: public${file} doesn't exist`).join("\n")}`,
    );
}

/** Loads the file again on next use, if SITE_CONFIG names another one. For tests. */
export function resetSiteConfig(): void {
  cachedConfig = undefined;
}
