// Requests a Git host's REST API, GitHub's or a compatible one. Respects rate limits, with
// exponential backoff.

import { nowMs } from "#lib/core/clock.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { fetchJson } from "#lib/outbound/fetch/guarded-fetch.ts";

export interface GitHostClientOptions {
  /** 'https://api.github.com', without a trailing slash. */
  readonly api: string;
  readonly token?: string;
}

export interface GitHostStatus {
  /** Why the host cannot be used, as a sentence for admins; null if it can. */
  readonly problem: string | null;
  /** No requests are made until then (Unix time in ms); 0 if not blocked. */
  readonly blockedUntilMs: number;
}

export interface GitHostClient {
  /**
   * Returns the JSON at `path`. Throws AppError: not_found (cached for a minute), unavailable on
   * rate limits, failures and timeouts. While blocked, every call fails immediately without a
   * request (circuit breaker).
   */
  getJson(path: string, options?: { maxBytes?: number; conditional?: boolean }): Promise<unknown>;
  getStatus(): GitHostStatus;
}

/** The largest possible response is a recursive tree, which GitHub truncates at 7 MB. */
const MAX_RESPONSE_BYTES = 8 * 1_048_576;
const TIMEOUT_MS = 10_000;
/**
 * For a rate limit without a reset time. GitHub asks to wait at least a minute, and longer each
 * time.
 */
const RATE_LIMIT_BACKOFF_MS = 60_000;
/** First retry delay after an outage. */
const OUTAGE_BACKOFF_MS = 2_000;
const MAX_BACKOFF_MS = 5 * 60_000;
/**
 * GitHub's limits reset within an hour. A host with a wrong clock must not block requests for days.
 */
const MAX_RATE_LIMIT_MS = 65 * 60_000;
const NOT_FOUND_TTL_MS = 60_000;
const MAX_CACHED_RESPONSES = 500;

/** Returns a client with its own backoff state and caches. */
export function createGitHostClient({ api, token }: GitHostClientOptions): GitHostClient {
  const name = new URL(api).host;
  let problem: string | null = null;
  let blockedUntilMs = 0;
  let failures = 0;
  const missingUntilMs = new Map<string, number>();
  const responsesByPath = new Map<string, { etag: string; data: unknown }>();

  function blockedError(): AppError {
    const seconds = Math.max(1, Math.ceil((blockedUntilMs - nowMs()) / 1_000));
    return new AppError("unavailable", `${problem} Next attempt in ${seconds} s.`, {
      retryAfterSeconds: seconds,
    });
  }

  function block(reason: string, forMs: number): AppError {
    failures += 1;
    problem = reason;
    // Jitter, so that instances that are blocked together do not all retry in the same second.
    blockedUntilMs = nowMs() + forMs * (1 + Math.random() / 10);
    log("warn", "content.host_failed", {
      host: name,
      reason,
      retryInMs: Math.round(blockedUntilMs - nowMs()),
    });
    return blockedError();
  }

  const backoff = (baseMs: number) =>
    Math.min(MAX_BACKOFF_MS, baseMs * 2 ** Math.min(failures, 12));

  function remember<T>(map: Map<string, T>, key: string, value: T): void {
    map.delete(key);
    map.set(key, value);
    if (map.size > MAX_CACHED_RESPONSES) map.delete(map.keys().next().value!);
  }

  return {
    getStatus: () =>
      nowMs() < blockedUntilMs
        ? { problem, blockedUntilMs }
        : { problem: failures > 0 ? problem : null, blockedUntilMs: 0 },
    async getJson(path, { maxBytes = MAX_RESPONSE_BYTES, conditional = false } = {}) {
      if (nowMs() < blockedUntilMs) throw blockedError();
      if (nowMs() < (missingUntilMs.get(path) ?? 0)) throw notFoundError(name, path);
      const cached = conditional ? responsesByPath.get(path) : undefined;
      let response: Awaited<ReturnType<typeof fetchJson>>;
      try {
        response = await fetchJson(api + path, {
          accept: "application/vnd.github+json",
          headers: {
            "x-github-api-version": "2022-11-28",
            ...(token && { authorization: `Bearer ${token}` }),
            ...(cached && { "if-none-match": cached.etag }),
          },
          timeoutMs: TIMEOUT_MS,
          maxBytes,
        });
      } catch (error) {
        if (isAppError(error, "too_large")) throw error;
        // A concurrent request may already have blocked the host. Its wait time applies.
        if (nowMs() < blockedUntilMs) throw blockedError();
        throw block(
          `The Git host ${name} failed: ${(error as Error).message}`,
          backoff(OUTAGE_BACKOFF_MS),
        );
      }
      const { status, headers, data } = response;
      if (status === 304 && cached) {
        failures = 0;
        return cached.data;
      }
      if (status >= 200 && status < 300) {
        failures = 0;
        if (conditional && headers.etag)
          remember(responsesByPath, path, { etag: headers.etag, data });
        return data;
      }
      const detail = `HTTP ${status}${errorMessageOf(data)}`;
      if (status === 404 || status === 409 || status === 422) {
        remember(missingUntilMs, path, nowMs() + NOT_FOUND_TTL_MS);
        throw notFoundError(name, path, detail);
      }
      if (nowMs() < blockedUntilMs) throw blockedError();
      const waitMs = rateLimitWaitMs(status, headers);
      if (waitMs !== null)
        throw block(`The Git host ${name} limits our requests (${detail}).`, waitMs);
      if (status === 429 || status === 403)
        throw block(
          `The Git host ${name} limits or forbids our requests (${detail}).`,
          backoff(RATE_LIMIT_BACKOFF_MS),
        );
      if (status === 401)
        throw block(
          `The Git host ${name} rejects our token (${detail}).`,
          backoff(RATE_LIMIT_BACKOFF_MS),
        );
      throw block(`The Git host ${name} failed (${detail}).`, backoff(OUTAGE_BACKOFF_MS));
    },
  };
}

function notFoundError(name: string, path: string, detail = "cached"): AppError {
  return new AppError("not_found", `The Git host ${name} does not have ${path} (${detail}).`);
}

function errorMessageOf(data: unknown): string {
  const message =
    typeof data === "object" && data !== null && "message" in data ? data.message : undefined;
  return typeof message === "string" ? `: ${message.slice(0, 200)}` : "";
}

/** Returns the wait that the response asks for in milliseconds, or null. */
function rateLimitWaitMs(status: number, headers: Readonly<Record<string, string>>): number | null {
  if (status !== 403 && status !== 429 && status !== 503) return null;
  const after = Number(headers["retry-after"]);
  if (headers["retry-after"] !== undefined && Number.isFinite(after))
    return clampWaitMs(after * 1_000);
  const reset = Number(headers["x-ratelimit-reset"]);
  if (headers["x-ratelimit-remaining"] === "0" && Number.isFinite(reset) && reset > 0)
    return clampWaitMs(reset * 1_000 - nowMs());
  return null;
}

const clampWaitMs = (ms: number) => Math.min(MAX_RATE_LIMIT_MS, Math.max(1_000, ms));
