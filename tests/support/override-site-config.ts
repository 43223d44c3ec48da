// Gives this process a site.config.ts with the fields of a test.

import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SiteConfigInput } from "#lib/core/site-config-schema.ts";
import { overrideEnv } from "./override-env.ts";

/** Returns a new file that exports `config`. */
export function writeSiteConfig(config: SiteConfigInput): string {
  const file = join(mkdtempSync(join(tmpdir(), "lectern-config-")), "site.config.ts");
  writeFileSync(file, `export default ${JSON.stringify(config)};\n`);
  return file;
}

/** Replaces the configuration. Without `config`, that of the tests is back. */
export function overrideSiteConfig(config?: SiteConfigInput): void {
  overrideEnv({
    SITE_CONFIG: config ? writeSiteConfig(config) : "tests/fixtures/site.config.ts",
  });
}
