// Renders the tables about a cluster, from docs/benchmarks.json.

import { type Reports, findGoal, numbersOf } from "./goals.ts";
import { markdownTable } from "./markdown-table.ts";
import { measuredOn } from "./summary.ts";

export function clusterPages(reports: Reports): string {
  const { pages } = numbersOf(reports, "cluster");
  const row = (reader: "anonymous" | "member") => [
    reader,
    Math.round(pages[reader].mount),
    Math.round(pages[reader].plain),
    reports.cluster!.ratios[`${reader}, mount ÷ plain file`],
    findGoal("cluster", `${reader}, mount ÷ plain file`),
  ];
  return markdownTable(
    ["the post page of 1,071 words, requests/s", "a replica’s mount", "a plain file", "÷", "goal"],
    [row("anonymous"), row("member")],
  );
}

export function clusterBeacons(reports: Reports): string {
  const { beacons, commits } = numbersOf(reports, "cluster");
  const { ratios } = reports.cluster!;
  return markdownTable(
    ["counted reads a second, 64 at a time", "shared commits", "one transaction each", "÷", "goal"],
    [
      [
        "beacons over HTTP, acknowledged by the primary",
        Math.round(beacons.shared),
        Math.round(beacons.single),
        ratios["beacons, shared commits ÷ one transaction each"],
        findGoal("cluster", "beacons, shared commits ÷ one transaction each"),
      ],
      [
        "the same rows without HTTP",
        Math.round(commits.queue),
        Math.round(commits.single),
        ratios["without HTTP"],
        "",
      ],
      ["one row of two numbers", "", Math.round(commits.row), "", ""],
    ],
  );
}

interface Lag {
  readonly beaconsPerSecond: number;
  readonly replicas: Record<string, Record<string, number>>;
}

const LOADS: readonly [load: string, text: string][] = [
  ["some", "some readers"],
  ["many", "as many readers as it can serve"],
  ["longRead", "no reader"],
  ["ownCore", "a core per node, few readers"],
  ["far", "110 ms from dfw, some readers"],
];

export function clusterLag(reports: Reports): string {
  const lag = numbersOf(reports, "cluster").lag as Record<string, Lag>;
  return markdownTable(
    [
      "commit on the primary → replica, ms",
      "beacons/s",
      "pages/s",
      "row p50",
      "row p99",
      "row max",
      "event p50",
      "event p99",
    ],
    LOADS.flatMap(([load, text]) =>
      Object.entries(lag[load]!.replicas).map(([node, times]) => [
        `${node.slice(0, 3)}, ${text}`,
        lag[load]!.beaconsPerSecond,
        times.pagesPerSecond,
        times.p50,
        times.p99,
        times.max,
        times.eventP50,
        times.eventP99,
      ]),
    ),
  );
}

export function clusterFar(reports: Reports): string {
  const { localMs, sequentialMs, batchedMs, statements } = numbersOf(reports, "cluster").farPage;
  const { ratios } = reports.cluster!;
  return markdownTable(
    ["a member’s post page in ams, 110 ms from dfw", "ms", "own copy ÷"],
    [
      ["**from its own copy**", localMs, ""],
      [
        `querying a Postgres in dfw, ${statements} statements, one by one`,
        sequentialMs,
        ratios["far page, local copy ÷ Postgres"],
      ],
      [
        "the same, all in one round trip",
        batchedMs,
        ratios["far page, local copy ÷ Postgres in one round trip"],
      ],
    ],
  );
}

/** Returns the results about the cluster that matter to readers of a post, in one table. */
export function postCluster(reports: Reports): string {
  const { beacons, commits, lag } = numbersOf(reports, "cluster");
  const { ratios } = reports.cluster!;
  const times = (load: string, node: string) => {
    const { p50, p99 } = lag[load].replicas[node];
    return `${p50} and ${p99} ms`;
  };
  return markdownTable(
    [`the cluster benchmark of ${measuredOn(reports.cluster!)}`, "result"],
    [
      ["an anonymous reader’s page, mount ÷ plain file", ratios["anonymous, mount ÷ plain file"]],
      ["a member’s page, mount ÷ plain file", ratios["member, mount ÷ plain file"]],
      ["rows of reads per second, shared commits", Math.round(commits.queue)],
      ["rows of reads per second, one transaction each", Math.round(commits.single)],
      ["counted reads per second over HTTP, shared commits", Math.round(beacons.shared)],
      ["counted reads per second over HTTP, one transaction each", Math.round(beacons.single)],
      ["lag of a replica without readers, p50 and p99", times("longRead", "ams-1")],
      ["lag of a replica with readers, ams, p50 and p99", times("some", "ams-1")],
      ["lag of a replica with readers, syd, p50 and p99", times("some", "syd-1")],
    ],
  );
}
