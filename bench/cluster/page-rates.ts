// Measures the post page from a replica's mount, compared with the same build on a plain file, both
// without an edge.

import { runWrk } from "#bench/support/wrk.ts";
import { median } from "#bench/support/measurements.ts";
import { ARTICLE_SLUG } from "./bench-cluster.ts";

export type PageRates = Record<"anonymous" | "member", { mount: number; plain: number }>;

/**
 * Returns the median requests per second over `rounds`, each of which measures every target once.
 */
export async function measurePages({
  mount,
  plain,
  cookie,
  rounds,
  seconds,
}: {
  mount: string;
  plain: string;
  cookie: string;
  rounds: number;
  seconds: number;
}): Promise<PageRates> {
  const targets = (["anonymous", "member"] as const).flatMap((reader) =>
    Object.entries({ mount, plain }).map(([place, url]) => ({
      reader,
      place: place as "mount" | "plain",
      url: `${url}/blog/${ARTICLE_SLUG}`,
      headers: reader === "member" ? { cookie } : undefined,
      rates: [] as number[],
    })),
  );
  for (const { url, headers } of targets) await runWrk(url, { seconds: 2, headers });
  for (let i = 0; i < rounds; i++) {
    for (const { reader, place, url, headers, rates } of targets) {
      const { perSecond, failed } = await runWrk(url, { seconds, headers });
      if (failed > 0) throw new Error(`${reader}, ${place}: ${failed} responses were not 2xx`);
      rates.push(perSecond);
    }
  }
  const rate = (reader: string, place: string) =>
    median(targets.find((target) => target.reader === reader && target.place === place)!.rates);
  return {
    anonymous: { mount: rate("anonymous", "mount"), plain: rate("anonymous", "plain") },
    member: { mount: rate("member", "mount"), plain: rate("member", "plain") },
  };
}
