// Talks to a Git host's REST API (GitHub's, or one that speaks the same) and leaves it alone when it wants that.

import { nowMs } from "#lib/core/clock.ts";
import { AppError, isAppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { fetchJson } from "#lib/outbound/fetch/guarded-fetch.ts";

export interface GitHostClientOptions {
  /** 'https://api.github.com', without a slash at the end. */
  readonly api: string;
  readonly token?: string;
}

export interface GitHostStatus {
  /** Why the host is not asked at the moment, in words for an admin; null while it answers. */
  readonly problem: string | null;
  /** Until then nothing is asked; 0 while it answers. */
  readonly blockedUntilMs: number;
}

export interface GitHostClient {
  /**
   * The JSON at `path`. Throws AppError: not_found (remembered for a minute), unavailable with the host's reason
   * when it limits us, fails or does not answer; until its time is over every further call fails at once
   * without asking (fault 6 of the reference).
   */
  getJson(path: string, options?: { maxBytes?: number; conditional?: boolean }): Promise<unknown>;
  getStatus(): GitHostStatus;
}

/** One answer: a listing of a large tree is the largest, GitHub cuts it at 7 MB. */
const MAX_RESPONSE_BYTES = 8 * 1_048_576;
const TIMEOUT_MS = 10_000;
/** An unexplained limit: GitHub asks to wait at least a minute, and longer each time. */
const RATE_LIMIT_BACKOFF_MS = 60_000;
/** An outage is looked at again soon, then ever more rarely. */
const OUTAGE_BACKOFF_MS = 2_000;
const MAX_BACKOFF_MS = 5 * 60_000;
/** A limit is over within an hour at GitHub; a host with a wrong clock must not silence us for days. */
const MAX_RATE_LIMIT_MS = 65 * 60_000;
const NOT_FOUND_TTL_MS = 60_000;
const MAX_CACHED_RESPONSES = 500;

export function createGitHostClient({ api, token }: GitHostClientOptions): GitHostClient {
  const name = new URL(api).host;
  let problem: string | null = null;
  let blockedUntilMs = 0;
  let failures = 0;
  const missing = new Map<string, number>();
  const known = new Map<string, { etag: string; data: unknown }>();

  function refused(): AppError {
    const seconds = Math.max(1, Math.ceil((blockedUntilMs - nowMs()) / 1_000));
    return new AppError("unavailable", `${problem} It is asked again in ${seconds} s.`, {
      retryAfterSeconds: seconds,
    });
  }

  function block(reason: string, forMs: number): AppError {
    failures += 1;
    problem = reason;
    // Several instances that were stopped together must not all come back in the same second.
    blockedUntilMs = nowMs() + forMs * (1 + Math.random() / 10);
    log("warn", "content.host_failed", {
      host: name,
      reason,
      retryInMs: Math.round(blockedUntilMs - nowMs()),
    });
    return refused();
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
      if (nowMs() < blockedUntilMs) throw refused();
      const goneUntilMs = missing.get(path);
      if (goneUntilMs !== undefined && nowMs() < goneUntilMs) throw notFoundError(name, path);
      const before = conditional ? known.get(path) : undefined;
      let answer: Awaited<ReturnType<typeof fetchJson>>;
      try {
        answer = await fetchJson(api + path, {
          accept: "application/vnd.github+json",
          headers: {
            "x-github-api-version": "2022-11-28",
            ...(token && { authorization: `Bearer ${token}` }),
            ...(before && { "if-none-match": before.etag }),
          },
          timeoutMs: TIMEOUT_MS,
          maxBytes,
        });
      } catch (error) {
        if (isAppError(error, "too_large")) throw error;
        // One of several questions under way may have been answered by a block already: its time stands.
        if (nowMs() < blockedUntilMs) throw refused();
        throw block(
          `The Git host ${name} failed: ${(error as Error).message}`,
          backoff(OUTAGE_BACKOFF_MS),
        );
      }
      const { status, headers, data } = answer;
      if (status === 304 && before) {
        failures = 0;
        return before.data;
      }
      if (status >= 200 && status < 300) {
        failures = 0;
        if (conditional && headers.etag) remember(known, path, { etag: headers.etag, data });
        return data;
      }
      const said = `HTTP ${status}${errorMessageOf(data)}`;
      if (status === 404 || status === 409 || status === 422) {
        remember(missing, path, nowMs() + NOT_FOUND_TTL_MS);
        throw notFoundError(name, path, said);
      }
      if (nowMs() < blockedUntilMs) throw refused();
      const waitMs = rateLimitWaitMs(status, headers);
      if (waitMs !== null)
        throw block(`The Git host ${name} limits our requests (${said}).`, waitMs);
      if (status === 429 || status === 403)
        throw block(
          `The Git host ${name} limits or forbids our requests (${said}).`,
          backoff(RATE_LIMIT_BACKOFF_MS),
        );
      if (status === 401)
        throw block(
          `The Git host ${name} does not accept our token (${said}).`,
          backoff(RATE_LIMIT_BACKOFF_MS),
        );
      throw block(`The Git host ${name} failed (${said}).`, backoff(OUTAGE_BACKOFF_MS));
    },
  };
}

function notFoundError(name: string, path: string, said = "remembered"): AppError {
  return new AppError("not_found", `The Git host ${name} does not have ${path} (${said}).`);
}

function errorMessageOf(data: unknown): string {
  const message =
    typeof data === "object" && data !== null && "message" in data ? data.message : undefined;
  return typeof message === "string" ? `: ${message.slice(0, 200)}` : "";
}

/** How long the host wants to be left alone, in milliseconds, or null if it does not say. */
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
