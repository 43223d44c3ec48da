// Renders the tables of docs/benchmarks.md about one site, from docs/benchmarks.json.

import {
  GOALS,
  type Reports,
  type Result,
  findGoal,
  formatGoal,
  numbersOf,
  resultsOf,
  withUnit,
} from "./goals.ts";
import { bold, cell, markdownTable } from "./markdown-table.ts";

/** Returns a row for each goal: what it compares, goal and result, bold if missed. */
const goalRows = (results: readonly Result[]) =>
  results.map((result) => [
    result.name,
    formatGoal(result),
    result.isMet ? withUnit(result.value, result.unit) : bold(withUnit(result.value, result.unit)),
  ]);

const WORDS = { short: "477 words", medium: "1,071 words", long: "5,014 words" } as const;
const SLUGS = Object.keys(WORDS) as (keyof typeof WORDS)[];

export function pageRates(reports: Reports): string {
  const rates = numbersOf(reports, "page").requestsPerSecond as Record<string, number>;
  const row = (name: string, key: string, show: (value: number) => string = cell) => [
    name,
    ...SLUGS.map((slug) => show(rates[`${slug}: ${key}`]!)),
  ];
  return markdownTable(
    ["requests/s", "477 words", "1,071 words, 3 code fences", "5,014 words, 48 code fences"],
    [
      row("the same article as a static page of Next", "static"),
      row("**anonymous reader**", "anonymous", bold),
      row("a member’s page, its data replaced by constants", "constants"),
      row("a member’s page, its data read in plain SQL", "plain SQL"),
      row("**member, through Prisma**", "member", bold),
      row("member, rendered by Next (`PAGE_CACHE=off`)", "member, through Next"),
    ],
  );
}

export function pageRatios(reports: Reports): string {
  const { ratios } = reports.page!;
  const row = (name: string, key: string) => [
    name,
    findGoal("page", `medium ${key}`),
    ...SLUGS.map((slug) => ratios[`${slug} ${key}`]),
  ];
  const mediumOnly = (name: string, key: string) => [
    name,
    findGoal("page", key),
    "",
    ratios[key],
    "",
  ];
  return markdownTable(
    ["ratio", "goal", ...SLUGS.map((slug) => WORDS[slug])],
    [
      row("anonymous ÷ static", "anonymous ÷ static"),
      row("member ÷ plain SQL", "member ÷ plain SQL"),
      row("member ÷ constants", "member ÷ constants"),
      row("member ÷ empty dynamic", "member ÷ empty dynamic"),
      row("member ÷ rendered by Next", "member ÷ through Next"),
      mediumOnly("anonymous ÷ static, with gzip", "medium anonymous ÷ static, gzip"),
      mediumOnly(
        "anonymous, 5,000,000 ÷ 500,000 reads",
        "medium anonymous, 5000000 ÷ 500000 reads",
      ),
      mediumOnly("member, 5,000,000 ÷ 500,000 reads", "medium member, 5000000 ÷ 500000 reads"),
    ],
  );
}

export function peersRates(reports: Reports): string {
  const { requestsPerSecond, weights } = numbersOf(reports, "peers") as {
    requestsPerSecond: Record<string, number>;
    weights: Record<string, { htmlKb: number; scriptBrotliKb: number }>;
  };
  const row = (name: string, anonymous: string | null, member: string | null, show = cell) => {
    const { htmlKb, scriptBrotliKb } = weights[(anonymous ?? member)!] ?? {};
    const rate = (key: string | null) => {
      const value = key === null ? undefined : requestsPerSecond[key];
      return value === undefined ? "" : show(value);
    };
    return [
      name,
      rate(anonymous),
      rate(member),
      htmlKb && Math.round(htmlKb),
      scriptBrotliKb === undefined ? "" : Math.round(scriptBrotliKb),
    ];
  };
  const both = (name: string) => row(name, `${name}, anonymous`, `${name}, member`);
  return markdownTable(
    ["", "anonymous, requests/s", "member, requests/s", "HTML kB", "scripts kB (Brotli)"],
    [
      row("**Lectern**", "Lectern, anonymous", "Lectern, member", bold),
      both("React Router 7 with Prisma"),
      row("React Router 7, one piece of HTML", null, "React Router 7, one piece of HTML, member"),
      row("Astro, prerendered", "Astro, prerendered", null),
      row("Astro, server-rendered", "Astro, anonymous", "Astro, member"),
      both("SvelteKit"),
      both("Fastify and a template"),
      row("Fastify, its own page from memory", "Fastify, its page from memory", null),
      row("Fastify, the bytes of Lectern’s page", "Fastify, Lectern's page from memory", null),
      row("Ghost 6, SQLite, default theme", "Ghost, anonymous", null),
    ].filter((cells) => cells[1] || cells[2]),
  );
}

export function peersMixed(reports: Reports): string {
  const mixed = numbersOf(reports, "peers").mixed as Record<
    string,
    { perSecond: number; p50Ms: number; p99Ms: number }
  >;
  return markdownTable(
    ["64 connections, 9 : 1, 20 beacons a second", "requests/s", "p50 ms", "p99 ms"],
    Object.entries(mixed).map(([name, { perSecond, p50Ms, p99Ms }]) => [
      name,
      Math.round(perSecond),
      p50Ms,
      p99Ms,
    ]),
  );
}

export function beacon(reports: Reports): string {
  const { ratios, numbers } = reports.beacon!;
  const rates = numbers as Record<string, number>;
  return markdownTable(
    ["", "reads/s", "ours ÷"],
    [
      ["**ours: acknowledged after a group commit**", bold(rates.ours!), ""],
      [
        "the same without its database call",
        rates["no database call"],
        ratios["÷ no database call"],
      ],
      [
        "the same, one transaction per read",
        rates["one transaction each"],
        ratios["÷ one transaction each"],
      ],
    ],
  );
}

export function login(reports: Reports): string {
  const numbers = numbersOf(reports, "login");
  return markdownTable(
    ["", "per second", "p50 ms", "p99 ms"],
    [
      [
        "**login: two forms, one email, one session**",
        ...[numbers.loginsPerSecond, numbers.p50Ms, numbers.p99Ms].map(bold),
      ],
      [
        "two forms that do nothing (the framework’s floor)",
        numbers.emptyPerSecond,
        numbers.emptyP50Ms,
        numbers.emptyP99Ms,
      ],
      ["the same rows alone, by SQLite", numbers.rowsAlonePerSecond, "", ""],
    ],
  );
}

export function calls(reports: Reports): string {
  const numbers = numbersOf(reports, "calls");
  const row = (name: string, perSecond: number, show = cell) => [
    name,
    show(perSecond),
    show(Number((perSecond * numbers.callMb).toFixed(1))),
  ];
  return markdownTable(
    ["", "calls/s", "MB/s"],
    [
      row("**a call, from the first request to its row**", numbers.callsPerSecond, bold),
      row("the same two parts to a handler that drops them", numbers.discardedPerSecond),
      row("the rows alone, by SQLite", numbers.rowsAlonePerSecond),
    ],
  );
}

export function posts(reports: Reports): string {
  const numbers = numbersOf(reports, "posts");
  const [newest, memory, busy] = goalRows(resultsOf("posts", reports.posts!));
  return markdownTable(
    ["", "goal", ""],
    [
      ["nothing cached: list", "", `${numbers.coldListSeconds} s`],
      ["nothing cached: newest post", "", `${numbers.coldFirstPageSeconds} s`],
      ["nothing cached: all compiled", "", `${numbers.compileSeconds} s`],
      ["warm cache: list", "", `${numbers.warmListSeconds} s`],
      ["warm cache: newest post", ...newest!.slice(1)],
      ["memory with a warm cache", ...memory!.slice(1)],
      ["p99 of a page, idle", "", `${numbers.idleP99Ms} ms`],
      ["p99 of a page while posts compile, ÷ idle", ...busy!.slice(1)],
    ],
  );
}

export function memory(reports: Reports): string {
  const numbers = numbersOf(reports, "memory");
  const goals = GOALS.memory!;
  const row = (name: string, { startMb, maxMb, endMb }: Record<string, number>, index: number) => [
    name,
    startMb,
    maxMb,
    endMb,
    goals[index]!.atMost,
  ];
  return markdownTable(
    ["MB", "at the start", "at most", "at the end", "goal"],
    [
      row("28,000 requests, each for another page, file, search", numbers.addresses, 0),
      row("20,000 requests for posts, members’ and anonymous", numbers.posts, 1),
    ],
  );
}

export function lighthouse(reports: Reports): string {
  const scores = Object.entries(
    reports.lighthouse!.numbers as Record<string, Record<string, number>>,
  );
  const names: Record<string, string> = {
    "/": "home",
    "/blog": "index",
    "/blog/one-door-for-writes": "a post with demos",
    "/blog/a-tour-of-the-code": "the longest post",
  };
  return markdownTable(
    ["", "performance", "accessibility", "best practices", "SEO"],
    scores.map(([path, score]) => [
      names[path] ?? path,
      score.performance,
      score.accessibility,
      score["best-practices"],
      score.seo,
    ]),
  );
}

export const peersRatios = (reports: Reports): string =>
  markdownTable(["ratio", "goal", ""], goalRows(resultsOf("peers", reports.peers!)));
