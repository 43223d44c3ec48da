// Searches the list of posts as the reader types, and follows its links without loading a document.

import { postListHref } from "./post-list-href.ts";

/** Debounces typing. */
const DEBOUNCE_MS = 160;

export interface PostSearchOptions {
  /** Shows the list at `href`, and changes the URL. Resolves once the list is visible. */
  readonly showPosts: (href: string, change: "push" | "replace") => Promise<void>;
  /**
   * From components/ui/is-plain-click.ts. Not imported here, because a module shared with the page
   * script would be another request on every page.
   */
  readonly isPlainClick: (event: MouseEvent) => boolean;
}

const findField = (list: HTMLElement) => list.querySelector<HTMLInputElement>("[name=q]")!;

/** Writes the list's query into the field, unless the reader is typing. */
export function resetField(list: HTMLElement): void {
  const field = findField(list);
  if (document.activeElement !== field) field.value = field.defaultValue;
}

/**
 * Links with `data-soft` change the list without a page load. `data-then="#id"` then moves the focus
 * to the first link in that element. Returns a function that stops it.
 */
export function startPostSearch(
  list: HTMLElement,
  { showPosts, isPlainClick }: PostSearchOptions,
): () => void {
  const controller = new AbortController();
  const { signal } = controller;
  const field = findField(list);
  const form = field.form!;
  const results = list.querySelector<HTMLElement>(".results")!;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let newest = 0;

  async function show(href: string, change: "push" | "replace", then = ""): Promise<void> {
    clearTimeout(timer);
    const id = ++newest;
    results.ariaBusy = "true";
    await showPosts(href, change);
    if (id !== newest) return;
    results.ariaBusy = null;
    resetField(list);
    if (then) list.querySelector<HTMLElement>(`${then} a`)?.focus();
  }

  function search(): void {
    const data = new FormData(form);
    const href = postListHref({
      q: field.value.trim(),
      topics: data.getAll("topic").map(String),
      sort: data.get("sort")?.toString(),
      read: data.get("read")?.toString(),
    });
    void show(href, "replace");
  }

  field.addEventListener(
    "input",
    () => {
      clearTimeout(timer);
      timer = setTimeout(search, DEBOUNCE_MS);
    },
    { signal },
  );
  form.addEventListener(
    "submit",
    (event) => {
      event.preventDefault();
      search();
    },
    { signal },
  );
  list.addEventListener(
    "click",
    (event) => {
      const link = (event.target as Element).closest<HTMLAnchorElement>("a[data-soft]");
      if (!link || !isPlainClick(event)) return;
      event.preventDefault();
      void show(link.pathname + link.search, "push", link.dataset.then);
    },
    { signal },
  );
  // The reader typed before this script was loaded.
  if (document.activeElement === field && field.value !== field.defaultValue)
    timer = setTimeout(search, DEBOUNCE_MS);
  // The typing and the loading belong to the history entry that the reader left.
  addEventListener(
    "popstate",
    () => {
      clearTimeout(timer);
      newest += 1;
      results.ariaBusy = null;
    },
    { signal },
  );
  return () => {
    clearTimeout(timer);
    controller.abort();
  };
}
