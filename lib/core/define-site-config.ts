// Gives site.config.ts its types. Imports nothing at runtime, so that every program can load it.

import type { SiteConfigInput } from "./site-config-schema.ts";

/** Returns `config` unchanged. The editor completes its fields and marks mistakes. */
export const defineSiteConfig = (config: SiteConfigInput): SiteConfigInput => config;
