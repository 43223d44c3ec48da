// Names the classes of the element around a post's text.

import { siteConfig } from "#lib/core/site-config.ts";

/** Posts by others can't draw outside their text. */
export const PROSE_CLASS = siteConfig.content.trust === "strict" ? "prose contained" : "prose";
