// Writes the results in docs/benchmarks.json to docs/benchmarks.md, its plot and the posts that quote it.

import { existsSync, readFileSync } from "node:fs";
import { format } from "prettier";
import * as cluster from "./cluster-tables.ts";
import type { Reports } from "./goals.ts";
import * as migrate from "./migrate-tables.ts";
import { plotResults } from "./plot.ts";
import * as site from "./site-tables.ts";
import { summary } from "./summary.ts";

export const REPORTS_FILE = "docs/benchmarks.json";
const PLOT_FILE = "docs/benchmarks.svg";
/** Each has blocks between `<!-- benchmarks: name -->` and `<!-- /benchmarks -->`. */
const DOCUMENTS = ["docs/benchmarks.md", "content/blog/what-litefs-costs/index.mdx"];

const BLOCKS: Readonly<Record<string, (reports: Reports) => string>> = {
  summary,
  "page-rates": site.pageRates,
  "page-ratios": site.pageRatios,
  "peers-rates": site.peersRates,
  "peers-ratios": site.peersRatios,
  "peers-mixed": site.peersMixed,
  beacon: site.beacon,
  login: site.login,
  calls: site.calls,
  posts: site.posts,
  memory: site.memory,
  lighthouse: site.lighthouse,
  "cluster-pages": cluster.clusterPages,
  "cluster-beacons": cluster.clusterBeacons,
  "cluster-lag": cluster.clusterLag,
  "cluster-far": cluster.clusterFar,
  "migrate-times": migrate.migrateTimes,
  "migrate-ratios": migrate.migrateRatios,
  "post-cluster": cluster.postCluster,
};

const BLOCK = /(<!-- benchmarks: ([\w-]+) -->\n)[^]*?(<!-- \/benchmarks -->)/g;

export const readReports = (): Reports => JSON.parse(readFileSync(REPORTS_FILE, "utf8")) as Reports;

/** Returns the document with each block rendered from the reports. Throws on an unknown name. */
export async function renderBlocks(document: string, reports: Reports): Promise<string> {
  const rendered = new Map<string, string>();
  for (const [, , name = ""] of document.matchAll(BLOCK)) {
    const render = BLOCKS[name];
    if (!render) throw new Error(`"${name}" is not one of ${Object.keys(BLOCKS).join(", ")}`);
    rendered.set(name, await format(render(reports), { parser: "markdown", printWidth: 120 }));
  }
  return document.replace(
    BLOCK,
    (_, start: string, name: string, end: string) => `${start}\n${rendered.get(name)}\n${end}`,
  );
}

/** Returns each file that quotes the reports, with its text. Removed example posts are omitted. */
export async function renderDocuments(reports: Reports): Promise<Map<string, string>> {
  const files = new Map([[PLOT_FILE, plotResults(reports)]]);
  for (const file of DOCUMENTS.filter((each) => existsSync(each)))
    files.set(file, await renderBlocks(readFileSync(file, "utf8"), reports));
  return files;
}
