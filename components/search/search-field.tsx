// Renders the search form, which works without JavaScript.

import { SearchIcon } from "#components/ui/icons.tsx";
import { MAX_QUERY_CHARACTERS } from "./search-result.ts";

/** A GET form that searches everything. */
export function SearchField({ q = "", autoFocus = false }: { q?: string; autoFocus?: boolean }) {
  return (
    <search className="find">
      <form className="find-form" action="/search">
        <label className="find-field">
          <span className="visually-hidden">Search this site</span>
          <SearchIcon />
          <input
            type="search"
            name="q"
            defaultValue={q}
            placeholder="Search"
            autoComplete="off"
            autoFocus={autoFocus}
            enterKeyHint="search"
            maxLength={MAX_QUERY_CHARACTERS}
          />
        </label>
        <button className="button">Search</button>
      </form>
    </search>
  );
}
