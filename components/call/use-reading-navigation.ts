// Follows links without loading a new document while an episode plays, so that it keeps playing
// (docs/decisions/063-sticky-player.md).

import { usePathname, useRouter } from "next/navigation";
import { useEffect, useRef } from "react";
import { isPlainClick } from "#components/ui/is-plain-click.ts";

/** Form, account and admin pages have another content security policy, so each loads a new document. */
const READING_PAGES = /^\/(?:$|blog(?:\/|$)|calls(?:\/(?!record$|mine$)|$)|teams$|about$)/;

const isReadingPage = (path: string) => READING_PAGES.test(path) && !path.includes(".");

/** Returns the link that `event` follows, if it leads from one reading page to another. */
function findReadingLink(event: MouseEvent): HTMLAnchorElement | null {
  if (!isPlainClick(event)) return null;
  const { target } = event;
  const link = target instanceof Element ? target.closest<HTMLAnchorElement>("a[href]") : null;
  if (!link || link.target || link.download || link.origin !== location.origin) return null;
  // A page in another language has a different layout, and the router keeps the layout.
  if (link.closest("[lang]") !== document.documentElement || link.hreflang) return null;
  const isSamePage = link.pathname === location.pathname && link.search === location.search;
  return !isSamePage && isReadingPage(location.pathname) && isReadingPage(link.pathname)
    ? link
    : null;
}

/** The router keeps the layout, so its current link is marked here. */
function markCurrentLinks(path: string): void {
  for (const link of document.querySelectorAll<HTMLAnchorElement>(".site-nav a[href]"))
    link.ariaCurrent =
      link.pathname === path ? "page" : path.startsWith(`${link.pathname}/`) ? "true" : null;
}

export function useReadingNavigation(isActive: boolean): void {
  const router = useRouter();
  const pathname = usePathname();
  const shownPath = useRef(pathname);
  useEffect(() => {
    if (!isActive) return;
    const onClick = (event: MouseEvent) => {
      const link = findReadingLink(event);
      if (!link) return;
      event.preventDefault();
      document.querySelector<HTMLDialogElement>("dialog[open]")?.close();
      router.push(link.pathname + link.search + link.hash);
    };
    document.addEventListener("click", onClick);
    return () => document.removeEventListener("click", onClick);
  }, [isActive, router]);
  useEffect(() => {
    if (shownPath.current === pathname) return;
    shownPath.current = pathname;
    markCurrentLinks(pathname);
    // As after loading a document, keyboard navigation starts at the new content.
    document.getElementById("main")?.focus({ preventScroll: true });
  }, [pathname]);
}
