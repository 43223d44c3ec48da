// One request of an upload. XMLHttpRequest, not fetch: only it tells how much of a body has left.

export interface UploadResponse {
  /** 0: no answer came. */
  readonly status: number;
  readonly json: unknown;
  readonly retryAfterSeconds: number | null;
}

interface UploadRequest {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: string | ArrayBuffer;
  readonly deadlineMs: number;
  readonly signal: AbortSignal;
  onSent?: (bytes: number) => void;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** The answer; never throws. An aborted request answers with status 0. */
export function sendUploadRequest({
  method,
  path,
  body,
  deadlineMs,
  signal,
  onSent,
}: UploadRequest): Promise<UploadResponse> {
  return new Promise((resolve) => {
    const http = new XMLHttpRequest();
    const abort = () => http.abort();
    http.open(method, path);
    http.timeout = deadlineMs;
    http.setRequestHeader("accept", "application/json");
    if (body !== undefined)
      http.setRequestHeader(
        "content-type",
        typeof body === "string" ? "application/json" : "application/octet-stream",
      );
    if (onSent) http.upload.onprogress = ({ loaded }) => onSent(loaded);
    http.onloadend = () => {
      signal.removeEventListener("abort", abort);
      const retryAfter = http.status ? http.getResponseHeader("retry-after") : null;
      resolve({
        status: http.status,
        json: parseJson(http.responseText),
        retryAfterSeconds: retryAfter && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null,
      });
    };
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) resolve({ status: 0, json: null, retryAfterSeconds: null });
    else http.send(body);
  });
}
