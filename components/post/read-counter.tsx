// Tells the server, once per page view, that a post was read: its end seen and 60 % of its reading time passed with the tab visible.

"use client";

import { useEffect } from "react";

/** A token lives a day; a page that stays open gets a new one before that. */
const TOKEN_MAX_AGE_MS = 20 * 3_600_000;
const RETRY_DELAY_MS = 15_000;
const WINDOW_EVENTS = ["pagehide", "pageshow", "online"];

/** Watches until the read is sent. Returns what stops it. Time is Date.now, so that a test can move it. */
function trackReading(slug: string, readingMinutes: number): () => void {
  let minMs = readingMinutes * 36_000;
  let readMs = 0;
  let visibleAt = 0;
  let token = "";
  let tokenAt = 0;
  let endSeen = false;
  let asking = false;
  let askedAt = 0;
  let done = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let seen: IntersectionObserver | undefined;

  const stop = () => {
    done = true;
    clearTimeout(timer);
    seen?.disconnect();
    document.removeEventListener("visibilitychange", check);
    for (const type of WINDOW_EVENTS) removeEventListener(type, check);
  };

  const ask = async () => {
    asking = true;
    try {
      const answer = await fetch(`/reads/token?slug=${encodeURIComponent(slug)}`, {
        cache: "no-store",
        signal: AbortSignal.timeout(RETRY_DELAY_MS),
      });
      if (answer.status === 404) return stop(); // a draft, or gone
      if (answer.ok) {
        ({ token, minMs } = await answer.json());
        tokenAt = Date.now();
      }
    } catch {
      // Offline, or no answer: asked again below.
    }
    asking = false;
    check();
  };

  function check(event?: Event) {
    if (done) return;
    clearTimeout(timer);
    const now = Date.now();
    // A clock that was set back gives no time, and takes none.
    if (visibleAt) readMs += Math.max(0, now - visibleAt);
    // On its way into the back/forward cache the page may still call itself visible.
    visibleAt = document.visibilityState === "visible" && event?.type !== "pagehide" ? now : 0;

    if (!seen) {
      const end = document.querySelector("[data-article-end]");
      if (end) {
        seen = new IntersectionObserver((entries) => {
          if (!entries.some((entry) => entry.isIntersecting)) return;
          endSeen = true;
          seen?.disconnect();
          check();
        });
        seen.observe(end);
      }
    }
    // The server measures from the token: a late one makes the read later. One from the future is of a clock set back.
    const age = now - tokenAt;
    if (age < 0 || age > TOKEN_MAX_AGE_MS) token = "";
    const leftMs = minMs - Math.min(readMs, token ? age : readMs);
    // Refused by the browser (offline, its queue full): tried again below.
    if (
      token &&
      endSeen &&
      leftMs <= 0 &&
      navigator.onLine &&
      navigator.sendBeacon?.("/reads", JSON.stringify({ token, slug }))
    )
      return stop();
    if (!visibleAt) return;
    if (!token && !asking && Math.abs(now - askedAt) >= RETRY_DELAY_MS) {
      askedAt = now;
      void ask();
    }
    timer = setTimeout(check, token && leftMs > 0 ? leftMs : RETRY_DELAY_MS);
  }

  document.addEventListener("visibilitychange", check);
  for (const type of WINDOW_EVENTS) addEventListener(type, check);
  check();
  return stop;
}

/** Shows nothing. Stands on the page of a post that is no draft; the page marks its end with `data-article-end`. */
export function ReadCounter({ slug, readingMinutes }: { slug: string; readingMinutes: number }) {
  useEffect(() => trackReading(slug, readingMinutes), [slug, readingMinutes]);
  return null;
}
