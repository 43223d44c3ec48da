// Describes a request that a handler answers from the pipeline or from one of Next's routes, and its
// response.

/** A request's headers, such as a Headers object. */
export interface HeaderReader {
  /** Returns the header with this name in lower case, or null. */
  get(name: string): string | null;
}

export interface DirectRequest {
  readonly url: string;
  readonly headers: HeaderReader;
  /** Returns the decoded value of the cookie with this full name, or undefined. */
  readonly findCookie: (name: string) => string | undefined;
  /** Throws AppError(too_large) if the body is larger than `maxBytes`. */
  readonly readBody: (maxBytes: number) => Promise<Uint8Array>;
}

export interface DirectResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** null for 204. */
  readonly body: string | null;
}

/** May throw AppError, or a replay that has already been sent. */
export type DirectHandler = (request: DirectRequest) => Promise<DirectResponse>;
