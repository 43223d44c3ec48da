// Sends one upload request with XMLHttpRequest, since fetch reports no upload progress.

export interface UploadResponse {
  /** 0 if there was no response. */
  readonly status: number;
  readonly json: unknown;
  readonly retryAfterSeconds: number | null;
}

export interface UploadRequest {
  readonly method: "POST" | "PUT" | "DELETE";
  readonly path: string;
  readonly body?: string | ArrayBuffer;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onProgress?: (sentBytes: number) => void;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Returns the response; never throws. An aborted request has status 0. */
export function sendUploadRequest({
  method,
  path,
  body,
  timeoutMs,
  signal,
  onProgress,
}: UploadRequest): Promise<UploadResponse> {
  return new Promise((resolve) => {
    const http = new XMLHttpRequest();
    const abort = () => http.abort();
    http.open(method, path);
    http.timeout = timeoutMs;
    http.setRequestHeader("accept", "application/json");
    if (body !== undefined)
      http.setRequestHeader(
        "content-type",
        typeof body === "string" ? "application/json" : "application/octet-stream",
      );
    if (onProgress) http.upload.onprogress = ({ loaded }) => onProgress(loaded);
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
