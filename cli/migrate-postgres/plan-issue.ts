// Describes one finding of a plan.

export interface PlanIssue {
  /** `stop`: change the source or the disk; `choice`: a flag decides; `note`: for information. */
  readonly level: "stop" | "choice" | "note";
  readonly topic: "source" | "tables" | "rows" | "values" | "members" | "target";
  /** Whole sentences. They may quote keys (a session's hashed), but no other value of a row. */
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
