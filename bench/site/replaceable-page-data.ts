// Replaces lib/posts/page-data.ts in the bench site's copy of render-post.tsx, so that a page can
// replace its data.

import { AsyncLocalStorage } from "node:async_hooks";
import * as pageData from "#lib/posts/page-data.ts";

export * from "#lib/posts/page-data.ts";

type ReadPostPageData = typeof pageData.readPostPageData;
export type PostPageData = Awaited<ReturnType<ReadPostPageData>>;

const replacement = new AsyncLocalStorage<ReadPostPageData>();

/** Runs `fn`, whose page reads its data through `read`. */
export const withPageData = <T>(read: ReadPostPageData, fn: () => T): T =>
  replacement.run(read, fn);

export const readPostPageData: ReadPostPageData = (sessionIds, slug) =>
  (replacement.getStore() ?? pageData.readPostPageData)(sessionIds, slug);
