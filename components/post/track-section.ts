// Marks the current section in the table of contents, and reports it for members.

import type { createPlaceReporter } from "./report-place.ts";

/** Tracks until the returned function is called. */
export function trackSection(slug: string): () => void {
  const links = [...document.querySelectorAll<HTMLAnchorElement>(".toc a")];
  // Not `hash`, which is encoded, or not, if an id contains a percent sign.
  const idOf = (link: HTMLAnchorElement) => link.getAttribute("href")!.slice(1);
  const headings = [...new Set(links.map(idOf))].flatMap((id) => document.getElementById(id) ?? []);
  const end = document.querySelector("[data-article-end]");
  if (headings.length === 0 || !end) return () => {};
  let isStopped = false;
  let places: ReturnType<typeof createPlaceReporter> | undefined;
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
    if (current) places?.report(current.id);
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
    ([entry]) => entry!.isIntersecting && places?.report(null),
  );
  endObserver.observe(end);
  const onHide = () => document.visibilityState === "hidden" && places?.send();
  document.addEventListener("visibilitychange", onHide);
  // The page requests a member's place; see continue-reading.tsx.
  if (document.querySelector("[data-keep-place]"))
    import("./report-place.ts").then(
      ({ createPlaceReporter }) => {
        if (isStopped) return;
        places = createPlaceReporter(slug);
        mark();
      },
      () => {}, // the place is not kept
    );
  return () => {
    observer.disconnect();
    endObserver.disconnect();
    document.removeEventListener("visibilitychange", onHide);
    places?.stop();
    isStopped = true;
  };
}
