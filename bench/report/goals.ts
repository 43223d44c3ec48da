// Lists the goal of each result that has one, and why a missed goal is missed.

export interface Report {
  /** Results that compare two measurements of the same run, or whose goal has its own unit. */
  readonly ratios: Readonly<Record<string, number>>;
  readonly numbers: Readonly<Record<string, unknown>>;
  readonly machine?: Readonly<Record<string, unknown>>;
  /** The command-line arguments, if the run did not use the defaults. */
  readonly options?: readonly string[];
  /** The end of the run, or only its date. */
  readonly at: string;
}

/** The saved reports, by the benchmark's name in GOALS. */
export type Reports = Readonly<Record<string, Report>>;

export interface Goal {
  /** At most 34 characters: the plot has no more space for it on a phone. */
  readonly name: string;
  /** A key of `ratios`, or the path of a value in `numbers`. */
  readonly from: string | readonly string[];
  readonly atLeast?: number;
  readonly atMost?: number;
  readonly unit?: "ms" | "s" | "MB";
  /** Why the goal is missed; shown only while it is. */
  readonly reason?: string;
}

const CACHED_PAGE =
  "The goal was set for a page that Next renders, which takes ten times as long. On a cached page, data takes a third of the time.";
const TEN_TIMES_THE_READS =
  "With ten times the reads, the member has read 107 posts instead of 13, and the page reads these rows.";
const LAG_WITH_READERS =
  "LiteFS applies a transaction only while no one is reading, and four nodes share two busy cores.";
const READ_TRANSACTION =
  "The page reads through one transaction, whose locks go through FUSE and cost about 0.2 ms.";

const articles = [
  ["short", "477 words"],
  ["medium", "1,071 words"],
  ["long", "5,014 words"],
] as const;

/** Goals by benchmark, in the order of docs/benchmarks.md. Names of reports, not always of files. */
export const GOALS: Readonly<Record<string, readonly Goal[]>> = {
  page: [
    ...articles.flatMap(([slug, words]): Goal[] => [
      { name: `anonymous ÷ static, ${words}`, from: `${slug} anonymous ÷ static`, atLeast: 0.8 },
      {
        name: `member ÷ plain SQL, ${words}`,
        from: `${slug} member ÷ plain SQL`,
        atLeast: 0.9,
        reason: CACHED_PAGE,
      },
      {
        name: `member ÷ constants, ${words}`,
        from: `${slug} member ÷ constants`,
        atLeast: 0.85,
        reason: CACHED_PAGE,
      },
    ]),
    {
      name: "member ÷ empty page, 1,071 words",
      from: "medium member ÷ empty dynamic",
      atLeast: 0.5,
    },
    {
      name: "anonymous, ten times the reads",
      from: "medium anonymous, 5000000 ÷ 500000 reads",
      atLeast: 0.9,
      reason:
        "Not explained: both processes send the page from the page cache, and measured alone, the one with more reads is as fast.",
    },
    {
      name: "member, ten times the reads",
      from: "medium member, 5000000 ÷ 500000 reads",
      atLeast: 0.9,
      reason: TEN_TIMES_THE_READS,
    },
    {
      name: "first byte, anonymous, p50",
      from: ["firstByteP50Ms", "anonymous"],
      atMost: 15,
      unit: "ms",
    },
    { name: "first byte, member, p50", from: ["firstByteP50Ms", "member"], atMost: 15, unit: "ms" },
    {
      name: "memory, last of 20,000 requests",
      from: ["rssMb", "lastHalfMax"],
      atMost: 350,
      unit: "MB",
      reason:
        "Four runs ended at 317 to 351 MB; the largest value depends on when V8 collects garbage.",
    },
  ],
  peers: [
    {
      name: "anonymous ÷ Astro, prerendered",
      from: "anonymous ÷ Astro's prerendered page",
      atLeast: 1,
      reason: "Each request also goes through the pipeline, and is logged and measured.",
    },
    {
      name: "anonymous ÷ Fastify, same bytes",
      from: "anonymous ÷ Fastify sending the same bytes",
      atLeast: 0.4,
      reason:
        "Fastify writes the same buffer for every request. We find a page by address and encoding, and log and measure the request.",
    },
    {
      name: "anonymous ÷ Ghost",
      from: "anonymous ÷ Ghost",
      atLeast: 100,
      reason: "The goal comes from a run in which Ghost made 34 requests/s instead of 78.",
    },
    {
      name: "member ÷ React Router with Prisma",
      from: "member ÷ React Router 7 with Prisma",
      atLeast: 4,
      reason:
        "The goal comes from a run in which React Router was slower. Now it caches shared data for a second, as we do.",
    },
    {
      name: "member ÷ Astro, server-rendered",
      from: "member ÷ Astro, server-rendered",
      atLeast: 1,
      reason:
        "A member’s page takes about 1 ms of CPU time: 0.3 for data, 0.15 for React. Astro uses better-sqlite3.",
    },
    {
      name: "p99 of a mixed load ÷ Astro’s",
      from: "mixed p99 ÷ Astro's",
      atMost: 1,
      reason:
        "Requests wait for one core, so p99 follows their CPU time, and a member’s page takes twice as long as Astro’s.",
    },
  ],
  beacon: [{ name: "÷ no database call", from: "÷ no database call", atLeast: 0.7 }],
  compile: [{ name: "p99 while compiling ÷ idle", from: "p99 while compiling ÷ idle", atMost: 3 }],
  posts: [
    { name: "newest post, warm cache", from: ["warmFirstPageSeconds"], atMost: 3, unit: "s" },
    {
      name: "memory, warm cache",
      from: ["warmRssMb"],
      atMost: 350,
      unit: "MB",
      reason:
        "1,000 posts take 75 MB of the heap: text, compiled code and plain text, most of it with two bytes per character.",
    },
    {
      name: "p99 while compiling ÷ idle",
      from: "p99 while compiling ÷ idle",
      atMost: 3,
      reason:
        "The page cache made the idle page faster, not the busy one: two compile workers and the load share two cores.",
    },
  ],
  memory: [
    {
      name: "after 28,000 addresses",
      from: ["addresses", "endMb"],
      atMost: 350,
      unit: "MB",
      reason:
        "Next needs about 100 MB for the first 2,000 pages that it renders. The next 26,000 add 20 MB.",
    },
    {
      name: "after 20,000 requests for posts",
      from: ["posts", "endMb"],
      atMost: 350,
      unit: "MB",
    },
  ],
  search: [{ name: "longest turn of indexing", from: ["longestTurnMs"], atMost: 10, unit: "ms" }],
  cluster: [
    {
      name: "anonymous, mount ÷ plain file",
      from: "anonymous, mount ÷ plain file",
      atLeast: 0.9,
    },
    {
      name: "member, mount ÷ plain file",
      from: "member, mount ÷ plain file",
      atLeast: 0.8,
      reason: READ_TRANSACTION,
    },
    {
      name: "beacons, shared commits ÷ single",
      from: "beacons, shared commits ÷ one transaction each",
      atLeast: 12,
      reason: "LiteFS, three replicas and the load share two cores with the route.",
    },
    ...["ams", "syd"].map((region): Goal => ({
      name: `lag p99, ${region}, some readers`,
      from: ["lag", "some", "replicas", `${region}-1`, "p99"],
      atMost: 50,
      unit: "ms",
      reason: LAG_WITH_READERS,
    })),
    {
      name: "lag p99, a core per node",
      from: ["lag", "ownCore", "replicas", "dfw", "p99"],
      atMost: 50,
      unit: "ms",
      reason:
        "LiteFS retries after a pause if it meets a reader, and the load and the timing program share the two cores.",
    },
    {
      name: "lag p99, ams, no reader",
      from: ["lag", "longRead", "replicas", "ams-1", "p99"],
      atMost: 50,
      unit: "ms",
      reason: "Four nodes, their LiteFS and the load share two cores.",
    },
    {
      name: "far page, own copy ÷ Postgres",
      from: "far page, local copy ÷ Postgres",
      atMost: 0.02,
      reason:
        "Our page needs CPU time on two busy cores, while the remote statements mostly wait. An earlier run reached 0.020.",
    },
  ],
  migrate: [
    {
      name: "copied and indexed ÷ (a)",
      from: "copied and indexed, as (a) is, ÷ (a)",
      atMost: 0.65,
    },
    { name: "with checksums ÷ (a)", from: "ours with checksums ÷ (a)", atMost: 1 },
    {
      name: "(b) db-to-sqlite ÷ ours",
      from: "(b) ÷ ours",
      atLeast: 10,
      reason: "The counters of reads take a quarter of our time; without them it is 12.",
    },
    { name: "(c) upserts ÷ ours", from: "(c) ÷ ours, extrapolated", atLeast: 150 },
    { name: "followed row changes/s", from: "follow: row changes a second", atLeast: 20_000 },
  ],
  "migrate-large": [
    { name: "copied and indexed ÷ (a)", from: "copied and indexed, as (a) is, ÷ (a)", atMost: 0.5 },
    { name: "with checksums ÷ (a)", from: "ours with checksums ÷ (a)", atMost: 1 },
    { name: "(b) db-to-sqlite ÷ ours", from: "(b) ÷ ours", atLeast: 10 },
    { name: "(c) upserts ÷ ours", from: "(c) ÷ ours, extrapolated", atLeast: 150 },
    { name: "reads alone, ours ÷ (d) in C", from: "PostRead alone, ours ÷ (d)", atMost: 1.5 },
    {
      name: "peak memory",
      from: "peak MB",
      atMost: 250,
      unit: "MB",
      reason:
        "Each of the comparison’s two threads has its own heap. The copy itself stays at 223 MB for any number of rows.",
    },
    { name: "followed row changes/s", from: "follow: row changes a second", atLeast: 20_000 },
  ],
  lighthouse: [
    { name: "lowest performance", from: "lowest performance", atLeast: 95 },
    { name: "lowest accessibility", from: "lowest accessibility", atLeast: 100 },
    { name: "lowest best practices", from: "lowest best-practices", atLeast: 100 },
    { name: "lowest SEO", from: "lowest seo", atLeast: 100 },
  ],
};

export interface Result extends Goal {
  readonly value: number;
  readonly isMet: boolean;
  /** How many times better than the goal; below 1 if missed. */
  readonly timesGoal: number;
}

/** Returns the results that have a goal and were measured: with --ghost 0, for example, Ghost is not. */
export function resultsOf(bench: string, report: Report): Result[] {
  return (GOALS[bench] ?? []).flatMap((goal) => {
    const value =
      typeof goal.from === "string"
        ? report.ratios[goal.from]
        : goal.from.reduce<unknown>(
            (part, key) => (part as Record<string, unknown> | undefined)?.[key],
            report.numbers,
          );
    if (typeof value !== "number") return [];
    const timesGoal =
      goal.atLeast === undefined ? (goal.atMost as number) / value : value / goal.atLeast;
    return [{ ...goal, value, timesGoal, isMet: timesGoal >= 1 }];
  });
}

/** Returns the goal of a result as text, or nothing if it has none. */
export function findGoal(bench: string, from: string): string {
  const goal = GOALS[bench]?.find((each) => each.from === from);
  return goal ? formatGoal(goal) : "";
}

/* oxlint-disable-next-line typescript/no-explicit-any -- each benchmark's numbers have a different shape */
export const numbersOf = (reports: Reports, bench: string) => reports[bench]!.numbers as any;

export const withUnit = (value: number, unit?: string): string =>
  value.toLocaleString("en-US") + (unit ? ` ${unit}` : "");

export const formatGoal = ({ atLeast, atMost, unit }: Goal): string =>
  atLeast === undefined ? `≤ ${withUnit(atMost as number, unit)}` : `≥ ${withUnit(atLeast, unit)}`;
