// Describes one finding of a plan.

export interface PlanIssue {
  /**
   * `stop`: the source or the disk must change; `choice`: a flag decides; `note`: information only.
   */
  readonly level: "stop" | "choice" | "note";
  readonly topic: "source" | "tables" | "rows" | "values" | "members" | "target";
  /**
   * Complete sentences. They may quote keys (session ids only as hashes), but no other values of a
   * row.
   */
  readonly text: string;
  /** What resolves it: a statement for PostgreSQL, a flag, or a sentence. */
  readonly fix: string | null;
}

type Topic = PlanIssue["topic"];

export const createBlocker = (topic: Topic, text: string, fix: string | null): PlanIssue => ({
  level: "stop",
  topic,
  text,
  fix,
});
export const createChoice = (topic: Topic, text: string, fix: string): PlanIssue => ({
  level: "choice",
  topic,
  text,
  fix,
});
export const createNote = (topic: Topic, text: string, fix: string | null = null): PlanIssue => ({
  level: "note",
  topic,
  text,
  fix,
});
