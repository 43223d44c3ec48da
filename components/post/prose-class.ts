// Names the classes of the element around a post's text.

import { siteConfig } from "#lib/core/site-config.ts";

/** The text of posts by others can't be drawn outside its place on the page. */
export const PROSE_CLASS = siteConfig.content.trust === "strict" ? "prose contained" : "prose";
