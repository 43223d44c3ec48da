// Uploads a recording in parts: resumable, with retries and exponential backoff.

import type { UploadState } from "../upload.ts";
import { type UploadRequest, type UploadResponse, sendUploadRequest } from "./upload-request.ts";

const CREATE_TIMEOUT_MS = 20_000;
/** A 512 kB part takes 85 seconds at 6 kB/s (slow 2G). */
const PART_TIMEOUT_MS = 120_000;
const MAX_BACKOFF_MS = 30_000;
/** Consecutive failures after which the upload fails. The member can retry. */
const MAX_FAILURES = 8;
const MAX_RESTARTS = 3;
/** How often to check whether the member has logged in again. */
const LOGIN_POLL_INTERVAL_MS = 10_000;
/** A longer Retry-After means a quota, not a transient failure. */
const MAX_RETRY_AFTER_SECONDS = 60;

export type UploadProgress =
  | { readonly kind: "preparing" }
  | { readonly kind: "sending"; readonly sentBytes: number; readonly totalBytes: number }
  /** Resumes when the connection is back. */
  | { readonly kind: "offline"; readonly sentBytes: number; readonly totalBytes: number }
  /** Retries after a transient failure. */
  | {
      readonly kind: "waiting";
      readonly sentBytes: number;
      readonly totalBytes: number;
      readonly seconds: number;
    }
  /** The session has expired. Resumes after a login in any tab. */
  | { readonly kind: "unauthenticated"; readonly sentBytes: number; readonly totalBytes: number };

/**
 * Thrown if the server rejects the upload or stays unreachable. The message is shown to the member.
 */
export class UploadError extends Error {
  /** 0 if the server is unreachable. */
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "UploadError";
    this.status = status;
  }
}

interface UploadJob {
  /** The idempotency key: the same id, bytes and member resume the same upload. */
  readonly id: string;
  readonly audio: Blob;
  readonly signal: AbortSignal;
  onProgress(progress: UploadProgress): void;
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/**
 * Resolves after `ms` or at one of the window's `events`, whichever comes first. Rejects when the
 * signal aborts.
 */
function waitForTimeoutOrEvent(
  ms: number,
  signal: AbortSignal,
  events: readonly string[] = [],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const cleanUpAnd = (settle: () => void) => () => {
      clearTimeout(timer);
      for (const event of events) removeEventListener(event, onDone);
      signal.removeEventListener("abort", onAbort);
      settle();
    };
    const onDone = cleanUpAnd(resolve);
    const onAbort = cleanUpAnd(() => reject(signal.reason));
    const timer = setTimeout(onDone, ms);
    for (const event of events) addEventListener(event, onDone);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort);
  });
}

function toUploadError({ status, json }: UploadResponse): UploadError {
  const message = (json as { message?: unknown } | null)?.message;
  return new UploadError(
    status,
    typeof message === "string"
      ? message
      : "Upload failed. Your recording is saved here; try again later.",
  );
}

const isTransient = ({ status, json, retryAfterSeconds }: UploadResponse) =>
  status === 0 ||
  // Not from the site: a Wi-Fi login (captive portal) replaces responses with its page.
  (status === 200 && json === null) ||
  status === 408 ||
  status >= 500 ||
  (status === 429 && retryAfterSeconds !== null && retryAfterSeconds <= MAX_RETRY_AFTER_SECONDS);

/**
 * Deletes an upload, which would otherwise count toward the member's quota. Not retried, since the
 * server deletes it after a day anyway.
 */
export async function abortUpload(id: string): Promise<void> {
  await sendUploadRequest({
    method: "DELETE",
    path: `/calls/upload/${id}`,
    timeoutMs: CREATE_TIMEOUT_MS,
    signal: AbortSignal.timeout(CREATE_TIMEOUT_MS),
  });
}

/** Dispatched on the window when the member reports a new login. */
export const LOGGED_IN_EVENT = "lectern:logged-in";

/**
 * Resolves once the server has all of the audio under `id`. Throws UploadError, or the signal's
 * reason. Status 409 means that the id belongs to other bytes: retry with a new id.
 */
export async function uploadRecording({ id, audio, signal, onProgress }: UploadJob): Promise<void> {
  onProgress({ kind: "preparing" });
  const bytes = await audio.arrayBuffer();
  const upload = new Upload(id, bytes, await sha256(bytes), signal, onProgress);
  // The server may delete the upload in between (expired, or deleted in another tab).
  for (let attempt = 0; attempt < MAX_RESTARTS; attempt++) if (await upload.run()) return;
  throw new UploadError(404, "The upload was lost. Your recording is saved here; try again.");
}

class Upload {
  readonly #id: string;
  readonly #bytes: ArrayBuffer;
  readonly #hash: string;
  readonly #signal: AbortSignal;
  readonly #onProgress: (progress: UploadProgress) => void;
  #sentBytes = 0;
  #failures = 0;

  constructor(
    id: string,
    bytes: ArrayBuffer,
    hash: string,
    signal: AbortSignal,
    onProgress: (progress: UploadProgress) => void,
  ) {
    this.#id = id;
    this.#bytes = bytes;
    this.#hash = hash;
    this.#signal = signal;
    this.#onProgress = onProgress;
  }

  /**
   * Creates or resumes the upload and sends the missing parts. Returns false if the server deleted
   * it in between.
   */
  async run(): Promise<boolean> {
    const totalBytes = this.#bytes.byteLength;
    const created = await this.#request({
      method: "POST",
      path: "/calls/upload",
      body: JSON.stringify({ id: this.#id, size: totalBytes, sha256: this.#hash }),
      timeoutMs: CREATE_TIMEOUT_MS,
    });
    if (created.status !== 200) throw toUploadError(created);
    const { partBytes, parts, received } = created.json as UploadState;
    const sizeOf = (part: number) => Math.min(partBytes, totalBytes - part * partBytes);
    this.#sentBytes = received.reduce((sum, part) => sum + sizeOf(part), 0);
    this.#report("sending");
    for (let part = 0; part < parts; part++) {
      if (received.includes(part)) continue;
      const start = part * partBytes;
      const response = await this.#request({
        method: "PUT",
        path: `/calls/upload/${this.#id}/${part}`,
        body: this.#bytes.slice(start, start + sizeOf(part)),
        timeoutMs: PART_TIMEOUT_MS,
        onProgress: (sentBytes) => this.#report("sending", Math.min(sentBytes, sizeOf(part))),
      });
      if (response.status === 404) return false;
      if (response.status !== 204) throw toUploadError(response);
      this.#sentBytes += sizeOf(part);
      this.#report("sending");
    }
    return true;
  }

  #report(kind: "sending" | "offline" | "unauthenticated", partialBytes = 0): void {
    const sentBytes = this.#sentBytes + partialBytes;
    this.#onProgress({ kind, sentBytes, totalBytes: this.#bytes.byteLength });
  }

  /** Retries until there is a response that is neither transient nor 401. */
  async #request(request: Omit<UploadRequest, "signal">): Promise<UploadResponse> {
    const signal = this.#signal;
    for (;;) {
      const response = await sendUploadRequest({ ...request, signal });
      signal.throwIfAborted();
      if (response.status === 401) {
        this.#report("unauthenticated");
        await waitForTimeoutOrEvent(LOGIN_POLL_INTERVAL_MS, signal, ["focus", LOGGED_IN_EVENT]);
      } else if (!isTransient(response)) {
        this.#failures = 0;
        return response;
      } else if (response.status === 0 && !navigator.onLine) {
        // Not counted as a failure: a connection may be gone for hours.
        this.#report("offline");
        await waitForTimeoutOrEvent(MAX_BACKOFF_MS, signal, ["online"]);
      } else await this.#backOff(response);
    }
  }

  async #backOff({ status, retryAfterSeconds }: UploadResponse): Promise<void> {
    this.#failures += 1;
    if (this.#failures >= MAX_FAILURES)
      throw new UploadError(
        status,
        "We can’t reach the server. Your recording is saved here; try again later.",
      );
    const backoffSeconds =
      Math.min(MAX_BACKOFF_MS / 1_000, 2 ** (this.#failures - 1)) * (0.75 + Math.random() / 2);
    const seconds = Math.ceil(Math.max(retryAfterSeconds ?? 0, backoffSeconds));
    const totalBytes = this.#bytes.byteLength;
    this.#onProgress({ kind: "waiting", sentBytes: this.#sentBytes, totalBytes, seconds });
    await waitForTimeoutOrEvent(seconds * 1_000, this.#signal, ["online"]);
  }
}
