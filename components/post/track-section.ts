// Marks the section that is being read in the table of contents, and remembers it for members, who
// may continue on another device.

/** The server accepts one place per member in 30 seconds. */
const SEND_INTERVAL_MS = 32_000;
/** A section that was only scrolled past is not sent. */
const DWELL_MS = 5_000;

/**
 * Returns a function that sends the member's place: the ID of a heading, or null at the end.
 * Does nothing if the page has no element that asks for it; see continue-reading.tsx.
 */
function createPlaceReporter(slug: string) {
  let wanted: string | null | undefined;
  let sent: string | null | undefined;
  let sentAt = 0;
  let isFinished = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const isWanted = document.querySelector("[data-keep-place]") !== null;

  const send = () => {
    clearTimeout(timer);
    if (wanted === sent || isFinished || Date.now() - sentAt < SEND_INTERVAL_MS) return;
    sent = wanted;
    sentAt = Date.now();
    isFinished = wanted === null;
    navigator.sendBeacon("/reads/place", JSON.stringify({ slug, heading: wanted }));
  };
  return {
    report(place: string | null) {
      if (!isWanted || isFinished) return;
      wanted = place;
      clearTimeout(timer);
      timer = setTimeout(send, Math.max(DWELL_MS, sentAt + SEND_INTERVAL_MS - Date.now()));
    },
    send,
    stop: () => clearTimeout(timer),
  };
}

/** Tracks until the returned function is called. */
export function trackSection(slug: string): () => void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".toc a")];
  const idOf = (link: HTMLAnchorElement) => decodeURIComponent(link.hash.slice(1));
  const headings = [...new Set(links.map(idOf))].flatMap((id) => document.getElementById(id) ?? []);
  const end = document.querySelector("[data-article-end]");
  if (headings.length === 0 || !end) return () => {};
  const places = createPlaceReporter(slug);
  const passed = new Set<Element>();

  const mark = () => {
    const current = headings.findLast((heading) => passed.has(heading));
    for (const link of links) {
      const isCurrent = idOf(link) === current?.id;
      if (!isCurrent) link.removeAttribute("aria-current");
      else if (link.ariaCurrent === null) {
        link.ariaCurrent = "location";
        const nav = link.closest("nav")!;
        nav.scrollTop = link.offsetTop - nav.clientHeight / 2;
      }
    }
    if (current) places.report(current.id);
  };
  // A heading counts as passed above this line; a jump past several headings crosses it, too.
  const observer = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries)
        passed[isIntersecting ? "add" : "delete"](target);
      mark();
    },
    { rootMargin: "9999999px 0px -70%" },
  );
  for (const heading of headings) observer.observe(heading);
  const endObserver = new IntersectionObserver(
    ([entry]) => entry!.isIntersecting && places.report(null),
  );
  endObserver.observe(end);
  const onHide = () => document.visibilityState === "hidden" && places.send();
  document.addEventListener("visibilitychange", onHide);
  return () => {
    observer.disconnect();
    endObserver.disconnect();
    document.removeEventListener("visibilitychange", onHide);
    places.stop();
  };
}
