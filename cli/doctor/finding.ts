// Describes what a check found: what, why it matters, and the command that fixes it.

export interface Finding {
  /** A problem makes doctor exit with 1. A note is optional, or only a warning. */
  readonly level: "ok" | "note" | "problem";
  readonly what: string;
  readonly why?: string;
  /** The exact command or change that fixes it. */
  readonly fix?: string;
}

/** One thing to check. Its findings are printed in the order of the list. */
export interface Check {
  readonly name: string;
  run(): Finding[] | Promise<Finding[]>;
}

export interface NamedFinding extends Finding {
  readonly check: string;
}

export const ok = (what: string): Finding => ({ level: "ok", what });
export const note = (what: string, why: string, fix: string): Finding => ({
  level: "note",
  what,
  why,
  fix,
});
export const problem = (what: string, why: string, fix: string): Finding => ({
  level: "problem",
  what,
  why,
  fix,
});
