// What is wrong with a post, and where: file, line, reason. Shared by reading front matter and by compiling.

import { AppError } from "#lib/core/errors.ts";

export interface PostProblem {
  /** Path below the content root, with forward slashes. */
  readonly file: string;
  /** 1-based line of the file. */
  readonly line: number;
  /** 1-based column, where it is known. */
  readonly column?: number;
  /** One sentence that says what is wrong and what is allowed. */
  readonly reason: string;
  /** The front matter field, where it is one. */
  readonly field?: string;
}

/** A post that can't be shown. `message` is "file:line: reason". */
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
