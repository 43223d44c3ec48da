// Brings a recording to the server in parts: goes on where it was after anything, waits where waiting helps, ends where it does not.

import { type UploadResponse, sendUploadRequest } from "./upload-request.ts";

const CREATE_TIMEOUT_MS = 20_000;
/** A part has 512 kB: at 6 kB/s, the slowest that people put up with, it takes 85 seconds. */
const PART_TIMEOUT_MS = 120_000;
const MAX_WAIT_MS = 30_000;
/** Failures in a row, without a part getting through in between, after which it is for the member to try again. */
const MAX_FAILURES = 8;
/** How often it looks whether the member has logged in again. */
const LOGIN_POLL_INTERVAL_MS = 10_000;
/** Longer than this a server's Retry-After means a quota, not a hiccup: its sentence is shown. */
const MAX_RETRY_AFTER_SECONDS = 60;

export type UploadProgress =
  | { readonly kind: "preparing" }
  | { readonly kind: "sending"; readonly sentBytes: number; readonly totalBytes: number }
  /** The connection is gone: goes on by itself when it is back. */
  | { readonly kind: "offline"; readonly sentBytes: number; readonly totalBytes: number }
  /** The server did not take it just now: tries again by itself. */
  | {
      readonly kind: "waiting";
      readonly sentBytes: number;
      readonly totalBytes: number;
      readonly seconds: number;
    }
  /** The session has ended: goes on after a log-in, in whatever tab. */
  | { readonly kind: "log-in"; readonly sentBytes: number; readonly totalBytes: number };

/** What the server said no to, or that it could not be reached for too long: the message is for the member. */
export class UploadError extends Error {
  /** 0: not reached. */
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "UploadRefused";
    this.status = status;
  }
}

interface ServerUploadState {
  readonly partBytes: number;
  readonly parts: number;
  readonly received: readonly number[];
}

interface UploadJob {
  /** Made by the browser; the same id, bytes and member go on with the same upload. */
  readonly id: string;
  readonly audio: Blob;
  readonly signal: AbortSignal;
  onState(state: UploadProgress): void;
}

async function sha256(bytes: ArrayBuffer): Promise<string> {
  return Array.from(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** Resolves after `ms`, earlier when one of `events` comes to the window; throws when the signal ends. */
function waitForTimeoutOrEvent(
  ms: number,
  signal: AbortSignal,
  events: readonly string[] = [],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (settle: () => void) => () => {
      clearTimeout(timer);
      for (const event of events) removeEventListener(event, go);
      signal.removeEventListener("abort", stop);
      settle();
    };
    const go = end(resolve);
    const stop = end(() => reject(signal.reason));
    const timer = setTimeout(go, ms);
    for (const event of events) addEventListener(event, go);
    if (signal.aborted) stop();
    else signal.addEventListener("abort", stop);
  });
}

function toUploadError(answer: UploadResponse): UploadError {
  const said = answer.json as { message?: unknown } | null;
  return new UploadError(
    answer.status,
    typeof said?.message === "string"
      ? said.message
      : "The server did not take the recording. It is kept here; try again later.",
  );
}

const isTransient = ({ status, retryAfterSeconds }: UploadResponse) =>
  status === 0 ||
  status === 408 ||
  status >= 500 ||
  (status === 429 && retryAfterSeconds !== null && retryAfterSeconds <= MAX_RETRY_AFTER_SECONDS);

/** Gives an upload up, so that it takes no room of the member's: tried once, since the server forgets it by itself after a day. */
export async function abortUpload(id: string): Promise<void> {
  await sendUploadRequest({
    method: "DELETE",
    path: `/calls/upload/${id}`,
    deadlineMs: CREATE_TIMEOUT_MS,
    signal: AbortSignal.timeout(CREATE_TIMEOUT_MS),
  });
}

/** Sent to the window by whoever knows that the member has logged in again. */
export const LOGGED_IN_EVENT = "lectern:logged-in";

/**
 * Resolves when the server has all of the audio under `id`. Throws UploadRefused with a sentence for the member, or the signal's
 * reason. Status 409 means that the id is taken by other bytes: the same recording with a new id will do.
 */
export async function uploadRecording({ id, audio, signal, onState }: UploadJob): Promise<void> {
  onState({ kind: "preparing" });
  const totalBytes = audio.size;
  const bytes = await audio.arrayBuffer();
  const hash = await sha256(bytes);
  let sentBytes = 0;
  let failures = 0;

  /** The answer, after as many tries as it takes; never one that passes by itself, nor 401. */
  const ask = async (
    method: "POST" | "PUT",
    path: string,
    body: string | ArrayBuffer,
    deadlineMs: number,
    onSent?: (bytes: number) => void,
  ): Promise<UploadResponse> => {
    for (;;) {
      const answer = await sendUploadRequest({ method, path, body, deadlineMs, signal, onSent });
      signal.throwIfAborted();
      if (answer.status === 401) {
        onState({ kind: "log-in", sentBytes, totalBytes });
        await waitForTimeoutOrEvent(LOGIN_POLL_INTERVAL_MS, signal, ["focus", LOGGED_IN_EVENT]);
        continue;
      }
      if (!isTransient(answer)) {
        failures = 0;
        return answer;
      }
      if (answer.status === 0 && !navigator.onLine) {
        // Not counted: how long somebody sits in a tunnel is not for us to judge.
        onState({ kind: "offline", sentBytes, totalBytes });
        await waitForTimeoutOrEvent(MAX_WAIT_MS, signal, ["online"]);
        continue;
      }
      failures += 1;
      if (failures >= MAX_FAILURES)
        throw new UploadError(
          answer.status,
          "The server can’t be reached. Your recording is kept here: try again in a while.",
        );
      const seconds = Math.ceil(
        Math.max(
          answer.retryAfterSeconds ?? 0,
          Math.min(MAX_WAIT_MS / 1_000, 2 ** (failures - 1)) * (0.75 + Math.random() / 2),
        ),
      );
      onState({ kind: "waiting", sentBytes, totalBytes, seconds });
      await waitForTimeoutOrEvent(seconds * 1_000, signal, ["online"]);
    }
  };

  // An upload can vanish in between (swept, or the member deleted it elsewhere): then it begins again, once or twice.
  for (let round = 0; round < 3; round++) {
    const begun = await ask(
      "POST",
      "/calls/upload",
      JSON.stringify({ id, size: totalBytes, sha256: hash }),
      CREATE_TIMEOUT_MS,
    );
    if (begun.status !== 200) throw toUploadError(begun);
    const { partBytes, parts, received } = begun.json as ServerUploadState;
    const sizeOf = (part: number) => Math.min(partBytes, totalBytes - part * partBytes);
    const there = new Set(received);
    const count = () => [...there].reduce((sum, part) => sum + sizeOf(part), 0);
    sentBytes = count();
    onState({ kind: "sending", sentBytes, totalBytes });
    let isGone = false;
    for (let part = 0; part < parts && !isGone; part++) {
      if (there.has(part)) continue;
      const from = part * partBytes;
      const answer = await ask(
        "PUT",
        `/calls/upload/${id}/${part}`,
        bytes.slice(from, from + sizeOf(part)),
        PART_TIMEOUT_MS,
        (sent) =>
          onState({
            kind: "sending",
            sentBytes: sentBytes + Math.min(sent, sizeOf(part)),
            totalBytes,
          }),
      );
      if (answer.status === 404) isGone = true;
      else if (answer.status !== 204 && answer.status !== 200) throw toUploadError(answer);
      else {
        there.add(part);
        sentBytes = count();
        onState({ kind: "sending", sentBytes, totalBytes });
      }
    }
    if (!isGone) return;
  }
  throw new UploadError(
    404,
    "The server lost the recording on the way. It is kept here: try again.",
  );
}
