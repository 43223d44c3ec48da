// Reports each view twice: as started, after a few visible seconds, and as a read, once the reader
// has reached the end and 60% of the reading time has passed.

/** Tokens expire after a day; a page left open gets a new one before that. */
const TOKEN_MAX_AGE_MS = 20 * 3_600_000;
const RETRY_DELAY_MS = 15_000;
/** See app/reads/start/count-start.ts. */
const START_MS = 5_000;
/** Long, because a slow response is better than a second request. */
const SEND_TIMEOUT_MS = 120_000;
const WINDOW_EVENTS = ["pagehide", "pageshow", "online"];

/** Shows the mark that the page contains for this reader; see read-mark.tsx. */
function showReadMark(): void {
  document.querySelector("[data-read-mark]")?.removeAttribute("hidden");
}

/**
 * Tracks until the server has received the read, and returns a function that stops it. Uses
 * Date.now, which tests can mock.
 */
export function countReading(slug: string, readingMinutes: number): () => void {
  let minMs = readingMinutes * 36_000;
  let readMs = 0;
  let visibleAt = 0;
  let token = "";
  let tokenAt = 0;
  let isEndSeen = false;
  let isStarted = false;
  let isRequesting = false;
  let requestedAt = 0;
  let isSending = false;
  let isDone = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let endObserver: IntersectionObserver | undefined;

  const stop = () => {
    isDone = true;
    clearTimeout(timer);
    endObserver?.disconnect();
    document.removeEventListener("visibilitychange", check);
    for (const type of WINDOW_EVENTS) removeEventListener(type, check);
  };

  const requestToken = async () => {
    isRequesting = true;
    try {
      const response = await fetch(`/reads/token?slug=${encodeURIComponent(slug)}`, {
        cache: "no-store",
        signal: AbortSignal.timeout(RETRY_DELAY_MS),
      });
      if (response.status === 404) return stop(); // a draft, or deleted
      if (response.ok) {
        ({ token, minMs } = await response.json());
        tokenAt = Date.now();
      }
    } catch {
      // Offline, or no response: check() retries.
    }
    isRequesting = false;
    check();
  };

  /** Contains only the host of the referrer. */
  const describeView = () => JSON.stringify({ token, slug, from: document.referrer.split("/")[2] });

  // The token counts once, so sending it again after a lost response is safe.
  const sendRead = async () => {
    isSending = true;
    const response = await fetch("/reads", {
      method: "POST",
      body: describeView(),
      keepalive: true,
      signal: AbortSignal.timeout(SEND_TIMEOUT_MS),
    }).catch(() => null);
    isSending = false;
    // No response, or no primary during a failover: check() retries.
    if (!response || response.status === 503) return;
    stop();
    if (response.headers.get("x-read") === "counted") showReadMark();
  };

  function check(event?: Event) {
    if (isDone) return;
    clearTimeout(timer);
    const now = Date.now();
    // A clock that was set back does not change the time.
    if (visibleAt) readMs += Math.max(0, now - visibleAt);
    // A page entering the back/forward cache may still be "visible".
    visibleAt = document.visibilityState === "visible" && event?.type !== "pagehide" ? now : 0;

    if (!endObserver) {
      const end = document.querySelector("[data-article-end]");
      if (end) {
        endObserver = new IntersectionObserver((entries) => {
          if (!entries.some((entry) => entry.isIntersecting)) return;
          isEndSeen = true;
          endObserver?.disconnect();
          check();
        });
        endObserver.observe(end);
      }
    }
    // The server measures from the token's time. A token from the future means that the clock was set back.
    const age = now - tokenAt;
    if (age < 0 || age > TOKEN_MAX_AGE_MS) token = "";
    const shownMs = Math.min(readMs, token ? age : readMs);
    const leftMs = minMs - shownMs;
    if (token && !isStarted && shownMs >= START_MS) {
      isStarted = true;
      navigator.sendBeacon("/reads/start", describeView());
    }
    if (token && isEndSeen && leftMs <= 0 && navigator.onLine && !isSending) void sendRead();
    if (!visibleAt) return;
    if (!token && !isRequesting && Math.abs(now - requestedAt) >= RETRY_DELAY_MS) {
      requestedAt = now;
      void requestToken();
    }
    const waitMs = isStarted ? leftMs : START_MS - shownMs;
    timer = setTimeout(check, token && waitMs > 0 ? waitMs : RETRY_DELAY_MS);
  }

  document.addEventListener("visibilitychange", check);
  for (const type of WINDOW_EVENTS) addEventListener(type, check);
  check();
  return stop;
}
