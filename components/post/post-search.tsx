// Renders the search form of the list of posts, and its results. Works as a GET form without JavaScript.

import type { ReactNode } from "react";
import { SearchIcon } from "#components/ui/icons.tsx";
import type { PostListState } from "./post-list-href.ts";
import { PostSearchStarter } from "./post-search-starter.tsx";

interface Props {
  readonly state: PostListState;
  /** Topics, sort orders and filters: links with `data-soft`. */
  readonly tools: ReactNode;
  readonly children: ReactNode;
}

/** In the browser, start-post-search.ts adds search as you type. */
export function PostSearch({ state, tools, children }: Props) {
  return (
    <div data-post-search="">
      <search className="find">
        <form className="find-form" action="/blog">
          <label className="find-field">
            <span className="visually-hidden">Search posts</span>
            <SearchIcon />
            <input
              type="search"
              name="q"
              defaultValue={state.q}
              placeholder="Search posts"
              autoComplete="off"
              enterKeyHint="search"
              maxLength={200}
            />
          </label>
          <button className="button">Search</button>
          {state.topics.map((topic) => (
            <input key={topic} type="hidden" name="topic" value={topic} />
          ))}
          {state.sort && state.sort !== "relevance" && (
            <input type="hidden" name="sort" value={state.sort} />
          )}
          {state.read && state.read !== "all" && (
            <input type="hidden" name="read" value={state.read} />
          )}
        </form>
        {tools}
      </search>
      <div className="results">{children}</div>
      <PostSearchStarter q={state.q} />
    </div>
  );
}
