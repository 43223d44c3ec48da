// Opens the search palette: a dialog that shows results as the reader types. Its form leads to
// /search. Plain DOM, because most pages load no React.

import type { BrowserMessages } from "#lib/core/messages/browser/en.ts";
import { findBrowserMessages } from "#lib/core/messages/browser/find-browser-messages.ts";
import {
  MAX_QUERY_CHARACTERS,
  type SearchResponse,
  type SearchResultData,
  describeCount,
  describeKind,
} from "./search-result.ts";
import type { SlashKey } from "./slash-key.ts";
import "./search-palette.css";

/** Debounces typing. */
const DEBOUNCE_MS = 120;
const TIMEOUT_MS = 5_000;

type SearchMessages = BrowserMessages["search"];

/** The site's own strings, without characters that are special in HTML. */
const createContent = (messages: SearchMessages) => `
<form action="/search" role="search" class="palette-form">
  <input type="text" inputmode="search" enterkeyhint="search" name="q" role="combobox"
    aria-label="${messages.field}" aria-expanded="false" aria-controls="found"
    aria-autocomplete="list" autocomplete="off" autofocus placeholder="${messages.field}"
    maxlength="${MAX_QUERY_CHARACTERS}">
  <button type="button" class="palette-close">${messages.close}</button>
</form>
<div id="found" role="listbox" aria-label="${messages.results}" class="palette-results"></div>
<p role="status" class="palette-status muted"></p>
<p class="palette-keys">
  <label><input type="checkbox"> ${messages.slashKey} <kbd>/</kbd></label>
  <span><kbd>Ctrl</kbd> <kbd>K</kbd> ${messages.alsoWorks}</span>
</p>`;

/**
 * Does nothing while the palette is open. `slashKey` is a parameter, because a module shared with
 * the page's script would be another request on every page.
 */
export function openPalette(slashKey: SlashKey): void {
  if (document.querySelector("dialog.palette")) return;
  const dialog = document.createElement("dialog");
  dialog.className = "palette";
  const messages = findBrowserMessages().search;
  dialog.ariaLabel = messages.name;
  dialog.innerHTML = createContent(messages);
  const icon = document.querySelector("a[data-search] svg");
  if (icon) dialog.querySelector("form")!.prepend(icon.cloneNode(true));
  startSearch(dialog, messages);
  startSlashKeySetting(dialog.querySelector("[type=checkbox]")!, slashKey);
  dialog.querySelector("button")!.addEventListener("click", () => dialog.close());
  // A click on the backdrop targets the dialog itself.
  dialog.addEventListener("click", ({ target }) => target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  // When it closes, the dialog restores the focus.
  dialog.showModal();
}

/** Loads the results as the reader types. */
function startSearch(dialog: HTMLDialogElement, messages: SearchMessages): void {
  const field = dialog.querySelector<HTMLInputElement>("[name=q]")!;
  const status = dialog.querySelector("[role=status]")!;
  const showOptions = startOptions(dialog, field, messages);
  let controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;

  async function load(q: string, request: AbortController) {
    const deadline = setTimeout(() => request.abort(), TIMEOUT_MS);
    try {
      const found = await fetchResults(q, request.signal);
      showOptions(found.results);
      status.replaceChildren(describeCount(found, q, messages));
      if (found.total > found.results.length) status.append(" · ", allResultsLink(q, messages));
    } catch {
      if (request !== controller) return;
      showOptions([]);
      status.textContent = messages.failed;
    } finally {
      clearTimeout(deadline);
    }
  }
  function stop() {
    clearTimeout(timer);
    controller.abort();
  }
  let lastQuery = "";
  field.addEventListener("input", () => {
    const q = field.value.trim();
    if (q === lastQuery) return;
    lastQuery = q;
    stop();
    const request = (controller = new AbortController());
    if (q !== "") timer = setTimeout(() => void load(q, request), DEBOUNCE_MS);
    else {
      showOptions([]);
      status.textContent = "";
    }
  });
  dialog.addEventListener("close", stop);
}

async function fetchResults(q: string, signal: AbortSignal): Promise<SearchResponse> {
  const response = await fetch(`/search/results?q=${encodeURIComponent(q)}`, { signal });
  if (!response.ok) throw new Error(String(response.status));
  return (await response.json()) as SearchResponse;
}

/**
 * Lets the reader choose an option with the keyboard while the field keeps the focus (ARIA's
 * combobox pattern). Returns a function that shows results.
 */
function startOptions(
  dialog: HTMLDialogElement,
  field: HTMLInputElement,
  messages: SearchMessages,
): (results: readonly SearchResultData[]) => void {
  const list = dialog.querySelector("[role=listbox]")!;
  let options: HTMLElement[] = [];
  let active = -1;

  function setActive(index: number) {
    options[active]?.setAttribute("aria-selected", "false");
    active = index;
    const option = options[index];
    if (!option) return field.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    field.setAttribute("aria-activedescendant", option.id);
  }
  field.form!.addEventListener("keydown", (event) => {
    // The keys of an input method choose a word.
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step !== undefined && options.length > 0) {
      event.preventDefault();
      const places = options.length + 1; // −1 is the field
      setActive(((active + 1 + step + places) % places) - 1);
    } else if (event.key === "Enter" && options[active]) {
      event.preventDefault();
      options[active]?.click();
    }
  });
  return (results) => {
    setActive(-1);
    options = results.map((result, index) => createOption(result, index, messages));
    list.replaceChildren(...options);
    field.ariaExpanded = String(options.length > 0);
  };
}

function createOption(
  result: SearchResultData,
  index: number,
  messages: SearchMessages,
): HTMLAnchorElement {
  const option = document.createElement("a");
  option.id = `found-${index}`;
  option.role = "option";
  option.ariaSelected = "false";
  option.tabIndex = -1;
  option.href = result.path;
  if (result.lang) option.lang = result.lang;
  option.append(
    createSpan("palette-title", ...markMatches(result.title)),
    createSpan("palette-kind", describeKind(result, messages)),
    createSpan("palette-snippet", ...markMatches(result.snippet)),
  );
  return option;
}

function createSpan(className: string, ...children: (Node | string)[]): HTMLSpanElement {
  const span = document.createElement("span");
  span.className = className;
  span.append(...children);
  return span;
}

const markMatches = (segments: SearchResultData["title"]): (Node | string)[] =>
  segments.map(({ text, isMatch }) => {
    if (!isMatch) return text;
    const mark = document.createElement("mark");
    mark.textContent = text;
    return mark;
  });

function allResultsLink(q: string, messages: SearchMessages): HTMLAnchorElement {
  const link = document.createElement("a");
  link.href = `/search?q=${encodeURIComponent(q)}`;
  link.textContent = messages.allResults;
  return link;
}

/** Lets readers turn the "/" key off, because speech or switch input may press it by accident. */
function startSlashKeySetting(checkbox: HTMLInputElement, slashKey: SlashKey): void {
  checkbox.checked = slashKey.isOn();
  checkbox.addEventListener("change", () => slashKey.remember(checkbox.checked));
}
