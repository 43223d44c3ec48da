// Highlights code: one highlighter per worker, one pass for both themes, grammars loaded on demand.

import type { HighlighterGeneric, ThemeRegistration } from "shiki";

/** Part of a line; `className` is "" for plain text. */
export interface CodeToken {
  readonly text: string;
  readonly className: string;
}

/** Longer code stays plain, because tokens take memory. */
const MAX_CODE_CHARS = 200_000;
const MAX_LINE_CHARS = 2_000;
/**
 * Timeout per line. With Shiki's default of 500 ms, a busy machine would cache partly highlighted
 * code.
 */
const LINE_TIMEOUT_MS = 5_000;

const plainLanguages = new Set(["", "text", "txt", "plain", "plaintext", "none", "ansi"]);

/**
 * Maps the theme's colors to classes. The site's colors are in components/post/code.css. The light
 * and dark themes have the same rules in the same order, so that one pass serves both.
 */
const classByColor: Record<string, string> = {
  "#6E7781": "tk-c",
  "#57606A": "tk-c",
  "#EAEEF2": "tk-c",
  "#CF222E": "tk-k",
  "#0550AE": "tk-n",
  "#953800": "tk-v",
  "#8250DF": "tk-f",
  "#116329": "tk-t",
  "#0A3069": "tk-s",
  "#82071E": "tk-e",
  "#F6F8FA": "tk-e",
};
const fontClasses = ["tk-i", "tk-b", "tk-u", "tk-x"]; // bits 1, 2, 4, 8 of a token's font style

type Highlighter = HighlighterGeneric<string, string>;

let loadedHighlighter:
  Promise<{ highlighter: Highlighter; languages: Record<string, unknown> }> | undefined;

async function loadHighlighter() {
  const [{ createHighlighter, bundledLanguages, bundledThemes }, { createOnigurumaEngine }] =
    await Promise.all([import("shiki"), import("shiki/engine/oniguruma")]);
  const base = (await bundledThemes["github-light-default"]()).default;
  const theme = { ...structuredClone(base), name: "lectern" } as ThemeRegistration; // a copy: the highlighter mutates it
  // Oniguruma is faster: the first pass over the corpus takes 0.45 s, or 0.95 s with the JavaScript
  // engine.
  const highlighter = await createHighlighter({
    themes: [theme],
    langs: [],
    engine: createOnigurumaEngine(import("shiki/wasm")),
  });
  return {
    highlighter: highlighter as unknown as Highlighter,
    languages: bundledLanguages as Record<string, unknown>,
  };
}

/** Returns the lines of `code` as tokens; null for an unknown language. "" and "text" are plain. */
export async function highlightLines(
  code: string,
  language: string,
): Promise<CodeToken[][] | null> {
  if (plainLanguages.has(language) || code.length > MAX_CODE_CHARS) return plainLines(code);
  loadedHighlighter ??= loadHighlighter();
  const { highlighter, languages } = await loadedHighlighter;
  if (!Object.hasOwn(languages, language)) return null;
  if (!highlighter.getLoadedLanguages().includes(language))
    await highlighter.loadLanguage(language);
  const { tokens, fg } = highlighter.codeToTokens(code, {
    lang: language,
    theme: "lectern",
    tokenizeMaxLineLength: MAX_LINE_CHARS,
    tokenizeTimeLimit: LINE_TIMEOUT_MS,
  });
  const plain = fg?.toUpperCase();
  return tokens.map((line) => {
    const pieces: { text: string; className: string }[] = [];
    for (const token of line) {
      const color = token.color?.toUpperCase() ?? plain;
      const style = Math.max(0, token.fontStyle ?? 0);
      const names = color === plain ? [] : [classByColor[color!] ?? ""];
      fontClasses.forEach((name, bit) => style & (1 << bit) && names.push(name));
      const className = names.filter(Boolean).join(" ");
      const last = pieces.at(-1);
      // Whitespace joins the previous token, which halves the number of elements in indented code.
      if (
        last &&
        (last.className === className ||
          (token.content.trim() === "" && !/tk-[ux]/.test(last.className)))
      )
        last.text += token.content;
      else pieces.push({ text: token.content, className });
    }
    return pieces;
  });
}

/** Returns the lines of `code` as plain tokens. */
export function plainLines(code: string): CodeToken[][] {
  return code.split("\n").map((line) => (line === "" ? [] : [{ text: line, className: "" }]));
}
