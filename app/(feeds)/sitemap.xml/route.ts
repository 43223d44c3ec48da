// The sitemap. A handler and not Next's sitemap.ts, which says nothing about caching and is made at build.

import { answerWith } from "../answer.ts";
import { siteFacts } from "#lib/posts/site-facts.ts";
import { sitemap } from "#lib/posts/sitemap.ts";

export const dynamic = "force-dynamic";

export const GET = answerWith("application/xml; charset=utf-8", (index) => sitemap(index, siteFacts(), ["/about", "/how-we-count"]));
