// Sends the section that a member is reading, so that they can continue on another device. Loaded for
// members only.

/** The server accepts one place per member in 30 seconds. */
const SEND_INTERVAL_MS = 32_000;
/** A section that was only scrolled past is not sent. */
const DWELL_MS = 5_000;

/** Returns functions that send the member's place: the ID of a heading, or null at the end. */
export function createPlaceReporter(slug: string) {
  let wanted: string | null | undefined;
  let sent: string | null | undefined;
  let sentAt = 0;
  let isFinished = false;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const send = () => {
    if (wanted === sent || isFinished || Date.now() - sentAt < SEND_INTERVAL_MS) return;
    clearTimeout(timer);
    sent = wanted;
    sentAt = Date.now();
    isFinished = wanted === null;
    navigator.sendBeacon("/reads/place", JSON.stringify({ slug, heading: wanted }));
  };
  return {
    report(place: string | null) {
      if (isFinished) return;
      wanted = place;
      clearTimeout(timer);
      timer = setTimeout(send, Math.max(DWELL_MS, sentAt + SEND_INTERVAL_MS - Date.now()));
    },
    send,
    stop: () => clearTimeout(timer),
  };
}
