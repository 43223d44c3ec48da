// Replaces lib/posts/page-data.ts in the bench site's copy of post-parts.tsx, so that a process or a
// page can replace the data of a post's page.

import { AsyncLocalStorage } from "node:async_hooks";
import { queryPostPageDataInSql } from "#bench/site/post-page-data.sql.ts";
import { readSql } from "#lib/db/sql.ts";
import * as pageData from "#lib/posts/page-data.ts";

export * from "#lib/posts/page-data.ts";

type ReadPostPageData = typeof pageData.readPostPageData;
type PostPageData = Awaited<ReturnType<ReadPostPageData>>;

const CONSTANTS: PostPageData = {
  viewer: { member: null, clientId: null },
  standings: [
    { team: "RED", reads: 300, members: 1_000, memberTime: 1_000, readsPerMember: 0.3 },
    { team: "BLUE", reads: 200, members: 1_000, memberTime: 1_000, readsPerMember: 0.2 },
    { team: "YELLOW", reads: 100, members: 1_000, memberTime: 1_000, readsPerMember: 0.1 },
  ],
  leadingTeams: new Map([
    ["short", ["RED"]],
    ["medium", ["BLUE"]],
  ]),
  readSlugs: new Set(),
  startOfDayTotals: new Map([
    ["short", 3_000],
    ["medium", 2_000],
    ["long", 1_000],
  ]),
  nowMs: Date.now(),
  reads: 1_000,
  readerPost: null,
};

/** What `BENCH_PAGE_DATA` names. By default, the site's own function. */
const READERS: Readonly<Record<string, ReadPostPageData>> = {
  sql: (sessionIds, slug) => readSql((sql) => queryPostPageDataInSql(sql, sessionIds, slug)),
  constants: async () => CONSTANTS,
};
const readOfProcess = READERS[process.env.BENCH_PAGE_DATA ?? ""] ?? pageData.readPostPageData;

const replacement = new AsyncLocalStorage<ReadPostPageData>();

/** Runs `fn`, whose page reads its data through `read`. */
export const withPageData = <T>(read: ReadPostPageData, fn: () => T): T =>
  replacement.run(read, fn);

export const readPostPageData: ReadPostPageData = (sessionIds, slug) =>
  (replacement.getStore() ?? readOfProcess)(sessionIds, slug);
