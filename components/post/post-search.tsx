"use client";
// Renders the search form and its results: search as you type, or a GET form without JavaScript.

import { useRouter } from "next/navigation";
import { type MouseEvent, type ReactNode, useEffect, useRef, useTransition } from "react";
import { isPlainClick } from "#components/ui/is-plain-click.ts";
import { SearchIcon } from "#components/ui/icons.tsx";
import { type PostListState, postListHref } from "./post-list-href.ts";

/** Debounce of typing. */
const DEBOUNCE_MS = 160;

interface Props {
  readonly state: PostListState;
  /** Topics, sort orders and filters: links with `data-soft`. */
  readonly tools: ReactNode;
  readonly children: ReactNode;
}

/**
 * Links with `data-soft` change the list without a page load. `data-then="#id"` then moves the focus to the first
 * link in that element.
 */
export function PostSearch({ state, tools, children }: Props) {
  const router = useRouter();
  const [isPending, startTransition] = useTransition();
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const focusNext = useRef("");

  useEffect(() => () => clearTimeout(timer.current), []);

  // Back and forward change the query. While the reader types, the input has the newest text.
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = state.q;
  }, [state.q]);

  useEffect(() => {
    if (isPending || !focusNext.current) return;
    document.querySelector<HTMLElement>(`${focusNext.current} a`)?.focus();
    focusNext.current = "";
  }, [isPending]);

  function search(q: string) {
    clearTimeout(timer.current);
    startTransition(() =>
      router.replace(
        postListHref({
          ...state,
          q,
          page: 1,
          sort: state.sort === "relevance" ? undefined : state.sort,
        }),
        { scroll: false },
      ),
    );
  }

  function follow(event: MouseEvent) {
    const link =
      event.target instanceof Element
        ? event.target.closest<HTMLAnchorElement>("a[data-soft]")
        : null;
    if (!link || !isPlainClick(event)) return;
    event.preventDefault();
    clearTimeout(timer.current);
    focusNext.current = link.dataset.then ?? "";
    const { pathname, search: query } = new URL(link.href);
    startTransition(() => router.push(pathname + query, { scroll: false }));
  }

  return (
    <div onClick={follow}>
      <search className="find">
        <form
          className="find-form"
          action="/blog"
          onSubmit={(event) => {
            event.preventDefault();
            search(input.current?.value.trim() ?? "");
          }}
        >
          <label className="find-field">
            <span className="visually-hidden">Search posts</span>
            <SearchIcon />
            <input
              ref={input}
              type="search"
              name="q"
              defaultValue={state.q}
              placeholder="Search posts"
              autoComplete="off"
              enterKeyHint="search"
              maxLength={200}
              onInput={({ currentTarget: { value } }) => {
                clearTimeout(timer.current);
                timer.current = setTimeout(() => search(value.trim()), DEBOUNCE_MS);
              }}
            />
          </label>
          {state.topics.map((topic) => (
            <input key={topic} type="hidden" name="topic" value={topic} />
          ))}
          {state.sort && state.sort !== "relevance" && (
            <input type="hidden" name="sort" value={state.sort} />
          )}
          {state.read && state.read !== "all" && (
            <input type="hidden" name="read" value={state.read} />
          )}
          <button className="button">Search</button>
        </form>
        {tools}
      </search>
      <div className="results" data-waiting={isPending || undefined} aria-busy={isPending}>
        {children}
      </div>
    </div>
  );
}
