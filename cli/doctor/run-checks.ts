// Runs checks, each with a deadline, and formats their findings.

import { withTimeout } from "#lib/core/with-timeout.ts";
import { type Check, type NamedFinding, problem } from "./finding.ts";

/** Longer than the deadline of any request that a check sends. */
const CHECK_TIMEOUT_MS = 15_000;

/**
 * Returns all findings. A check that throws or hangs is a problem. Checks run one after another,
 * because those of the database block the process, and others have deadlines.
 */
export async function runChecks(
  checks: readonly Check[],
  timeoutMs = CHECK_TIMEOUT_MS,
): Promise<NamedFinding[]> {
  const results: NamedFinding[] = [];
  for (const { name, run } of checks) {
    const findings = await withTimeout(
      Promise.resolve().then(run),
      timeoutMs,
      `It did not finish within ${timeoutMs / 1_000} s.`,
    ).catch((error: Error) => [
      problem(
        `${name}: the check failed`,
        error.message,
        "Fix what the message describes, and run doctor again.",
      ),
    ]);
    results.push(...findings.map((finding) => ({ check: name, ...finding })));
  }
  return results;
}

const LABELS = { ok: " ok ", note: "note", problem: "FAIL" } as const;

/** Returns the report for the terminal. */
export function formatFindings(findings: readonly NamedFinding[]): string {
  const lines = findings.flatMap(({ level, what, why, fix }) => [
    `${LABELS[level]}  ${what}`,
    ...(level === "ok" ? [] : [why, fix && `Fix: ${fix}`].filter(Boolean).map((t) => `      ${t}`)),
  ]);
  const count = findings.filter(({ level }) => level === "problem").length;
  const summary = count === 0 ? "no problems" : `${count} ${count === 1 ? "problem" : "problems"}`;
  return `${lines.join("\n")}\n\n${summary}`;
}
