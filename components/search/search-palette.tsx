"use client";
// Renders the search palette: a dialog that shows results as the reader types. Its form leads to
// /search.

import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { SearchIcon } from "#components/ui/icons.tsx";
import { MarkedText } from "#components/ui/marked-text.tsx";
import type { BrowserMessages } from "#lib/core/messages/browser/en.ts";
import { findBrowserMessages } from "#lib/core/messages/browser/find-browser-messages.ts";
import {
  MAX_QUERY_CHARACTERS,
  type SearchResponse,
  type SearchResultData,
  describeCount,
  describeKind,
} from "./search-result.ts";
import { isSlashKeyOn, rememberSlashKey } from "./slash-key.ts";
import "./search-palette.css";

/** Debounce of typing. */
const DEBOUNCE_MS = 120;
const TIMEOUT_MS = 5_000;

type Found = SearchResponse & { readonly q: string };

async function fetchResults(q: string, signal: AbortSignal): Promise<Found> {
  const response = await fetch(`/search/results?q=${encodeURIComponent(q)}`, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  });
  if (!response.ok) throw new Error(String(response.status));
  return { ...((await response.json()) as SearchResponse), q };
}

/** Returns the results for `q`; null before the first response, "failed" after an error. */
function useResults(q: string): Found | "failed" | null {
  const [found, setFound] = useState<Found | "failed" | null>(null);
  useEffect(() => {
    if (q === "") return setFound(null);
    const controller = new AbortController();
    const load = () =>
      fetchResults(q, controller.signal).then(setFound, () => {
        if (!controller.signal.aborted) setFound("failed");
      });
    const timer = setTimeout(() => void load(), DEBOUNCE_MS);
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [q]);
  return found;
}

/** Searches only the dialog: an element of a post may have the same id. */
const findOption = (dialog: HTMLDialogElement | null, index: number) =>
  dialog?.querySelector<HTMLElement>(`#found-${index}`);

type SearchMessages = BrowserMessages["search"];

export function SearchPalette({ onClose }: { onClose: () => void }) {
  const messages = findBrowserMessages().search;
  const dialog = useRef<HTMLDialogElement>(null);
  const [typed, setTyped] = useState("");
  const q = typed.trim();
  const found = useResults(q);
  const results = found !== null && found !== "failed" && q !== "" ? found.results : [];
  const [active, setActive] = useState(-1);
  useEffect(() => setActive(-1), [found]);
  // When it closes, the dialog restores the focus.
  useEffect(() => {
    const element = dialog.current!;
    element.showModal();
    return () => element.close();
  }, []);
  useEffect(() => {
    findOption(dialog.current, active)?.scrollIntoView({ block: "nearest" });
  }, [active]);

  function onKeyDown(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && results.length > 0) {
      event.preventDefault();
      const places = results.length + 1; // −1 is the field
      setActive(((active + 1 + step + places) % places) - 1);
    } else if (event.key === "Enter" && !event.nativeEvent.isComposing && results[active]) {
      event.preventDefault();
      findOption(dialog.current, active)?.click();
    }
  }

  return (
    <dialog
      ref={dialog}
      className="palette"
      aria-label={messages.name}
      onClose={onClose}
      onClick={(event) => event.target === dialog.current && dialog.current.close()}
    >
      <form action="/search" role="search" className="palette-form" onKeyDown={onKeyDown}>
        <SearchIcon />
        <input
          type="text"
          inputMode="search"
          enterKeyHint="search"
          name="q"
          role="combobox"
          aria-label={messages.field}
          aria-expanded={results.length > 0}
          aria-controls="found"
          aria-autocomplete="list"
          aria-activedescendant={results[active] ? `found-${active}` : undefined}
          autoComplete="off"
          autoFocus
          placeholder={messages.field}
          maxLength={MAX_QUERY_CHARACTERS}
          value={typed}
          onChange={({ target }) => setTyped(target.value)}
        />
        <button type="button" className="palette-close" onClick={() => dialog.current?.close()}>
          {messages.close}
        </button>
      </form>
      <div id="found" role="listbox" aria-label={messages.results} className="palette-results">
        {results.map((result, index) => (
          <Option
            key={result.path}
            result={result}
            index={index}
            isActive={index === active}
            messages={messages}
          />
        ))}
      </div>
      <p role="status" className="palette-status muted">
        {statusOf(q, found, messages)}
        {found !== null && found !== "failed" && found.total > found.results.length && (
          <>
            {" · "}
            <a href={`/search?q=${encodeURIComponent(q)}`}>{messages.allResults}</a>
          </>
        )}
      </p>
      <SlashKeySetting messages={messages} />
    </dialog>
  );
}

function statusOf(q: string, found: Found | "failed" | null, messages: SearchMessages): string {
  if (q === "" || found === null) return "";
  if (found === "failed") return messages.failed;
  return describeCount(found, found.q, messages);
}

function Option({
  result,
  index,
  isActive,
  messages,
}: {
  result: SearchResultData;
  index: number;
  isActive: boolean;
  messages: SearchMessages;
}) {
  return (
    <a
      id={`found-${index}`}
      role="option"
      aria-selected={isActive}
      tabIndex={-1}
      href={result.path}
      lang={result.lang}
    >
      <span className="palette-title">
        <MarkedText segments={result.title} />
      </span>
      <span className="palette-kind">{describeKind(result, messages)}</span>
      <span className="palette-snippet">
        <MarkedText segments={result.snippet} />
      </span>
    </a>
  );
}

/** Lets readers turn the "/" key off, because speech or switch input may press it by accident. */
function SlashKeySetting({ messages }: { messages: SearchMessages }) {
  const [isOn, setIsOn] = useState(isSlashKeyOn);
  return (
    <p className="palette-keys">
      <label>
        <input
          type="checkbox"
          checked={isOn}
          onChange={({ target }) => {
            setIsOn(target.checked);
            rememberSlashKey(target.checked);
          }}
        />{" "}
        {messages.slashKey} <kbd>/</kbd>
      </label>
      <span>
        <kbd>Ctrl</kbd> <kbd>K</kbd> {messages.alsoWorks}
      </span>
    </p>
  );
}
