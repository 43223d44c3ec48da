"use client";
// The search form and what it finds. Without scripts a plain GET form and plain links; with them the list follows as one types.

import { useRouter } from "next/navigation";
import { type MouseEvent, type ReactNode, useEffect, useRef, useTransition } from "react";
import { SearchIcon } from "#components/ui/icons.tsx";
import { type PostListState, postListHref } from "./post-list-href.ts";

/** A pause in typing that is worth a request. */
const DEBOUNCE_MS = 160;

interface Props {
  readonly state: PostListState;
  /** Topics, sorting and filters: links marked `data-soft`. */
  readonly tools: ReactNode;
  readonly children: ReactNode;
}

/**
 * Links inside marked `data-soft` change the list without a page load. `data-then="#id"` on one moves the focus
 * to the first link of that element when the list has come.
 */
export function PostSearch({ state, tools, children }: Props) {
  const router = useRouter();
  const [waiting, startTransition] = useTransition();
  const input = useRef<HTMLInputElement>(null);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const focusNext = useRef("");

  useEffect(() => () => clearTimeout(timer.current), []);

  // Back and forward change the query from outside; while one types, what is typed is right.
  useEffect(() => {
    if (input.current && document.activeElement !== input.current) input.current.value = state.q;
  }, [state.q]);

  useEffect(() => {
    if (waiting || !focusNext.current) return;
    document.querySelector<HTMLElement>(`${focusNext.current} a`)?.focus();
    focusNext.current = "";
  }, [waiting]);

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
    if (
      !link ||
      event.defaultPrevented ||
      event.button !== 0 ||
      event.metaKey ||
      event.ctrlKey ||
      event.shiftKey ||
      event.altKey
    )
      return;
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
            <span className="visually-hidden">Search the posts</span>
            <SearchIcon />
            <input
              ref={input}
              type="search"
              name="q"
              defaultValue={state.q}
              placeholder="Search the posts"
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
      <div className="results" data-waiting={waiting || undefined} aria-busy={waiting}>
        {children}
      </div>
    </div>
  );
}
