// Defines the error for a broken post: file, line and reason.

import { AppError } from "#lib/core/errors.ts";

export interface PostProblem {
  /** Path below the content root, with forward slashes. */
  readonly file: string;
  /** 1-based line of the file. */
  readonly line: number;
  /** 1-based column, if known. */
  readonly column?: number;
  /** A sentence: what is wrong, and what is allowed. */
  readonly reason: string;
  /** The front matter field, if the problem is in one. */
  readonly field?: string;
}

/** `message` is "file:line: reason". */
export class PostError extends AppError {
  readonly problem: PostProblem;

  constructor(problem: PostProblem, options: { cause?: unknown } = {}) {
    super("invalid", `${problem.file}:${problem.line}: ${problem.reason}`, {
      field: problem.field,
      cause: options.cause,
    });
    this.problem = problem;
  }
}
