// Tells whether a request is for a page that a browser shows.

/**
 * Returns whether a GET asks for HTML to show. A browser that prefetches a page may never show it,
 * and says so in Sec-Purpose (Fetch Standard, "Sec-Purpose").
 */
export function isPageView(
  method: string | undefined,
  getHeader: (name: "accept" | "sec-purpose") => string | null | undefined,
): boolean {
  return (
    method === "GET" &&
    getHeader("accept")?.includes("text/html") === true &&
    !getHeader("sec-purpose")?.includes("prefetch")
  );
}
