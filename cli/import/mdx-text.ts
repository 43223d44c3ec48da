// Escapes text that MDX would parse as Markdown, JSX, expressions or formulas.

import TurndownService from "turndown";

const URL_IN_TEXT = /(https?:\/\/[^\s<>"'`{}]+)/g;
const markdownEscape = new TurndownService().escape;

/** Escapes text of a paragraph. URLs keep their characters, so that they still become links. */
export function escapeText(text: string): string {
  return text
    .split(URL_IN_TEXT)
    .map((part, index) =>
      index % 2 === 1
        ? part.replace(/[*~$|]/g, (character) => encodeCharacter(character))
        : markdownEscape(part)
            .replace(/^(\d+)([.)])(?=\s|$)/, "$1\\$2")
            .replace(/&(?=#?\w+;)/g, "\\&")
            // The site removes comments before it parses.
            .replace(/<(?=!)/g, "&lt;")
            .replace(/[<{$~|]|:::+/g, "\\$&"),
    )
    .join("");
}

/** Escapes text inside an HTML element, where backslashes would be harder to read. */
export function encodeMarkupCharacters(text: string): string {
  return text.replace(/[\\`*_{}[\]<>~$|&!#]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Returns `name="value"` for an element of an MDX file. */
export function formatAttribute(name: string, value: string): string {
  return `${name}="${value.replace(/&/g, "&amp;").replace(/"/g, "&quot;").replace(/\s+/g, " ")}"`;
}

/** Returns a URL that can be between the parentheses of a link. */
export function escapeUrl(url: string): string {
  return url.trim().replace(/[\s()<>{}\\"*`[\]|]/g, encodeCharacter);
}

/** Returns a link or image title with its quotes and a space before it, or "". */
export function formatTitle(title: string): string {
  const line = title.replace(/\s+/g, " ").trim();
  return line === "" ? "" : ` "${line.replace(/[\\"&]/g, "\\$&")}"`;
}

/**
 * Escapes the first letter of lines that MDX would read as `import` or `export` statements, except
 * in code.
 */
export function escapeModuleSyntax(markdown: string): string {
  let fence = "";
  return markdown
    .split("\n")
    .map((line) => {
      const marker = /^\s*(`{3,}|~{3,})/.exec(line)?.[1];
      if (marker && fence === "") fence = marker;
      else if (marker && line.trim() === fence) fence = "";
      return fence === "" && /^(?:import|export)[\s{*"']/.test(line)
        ? `&#${line.charCodeAt(0)};${line.slice(1)}`
        : line;
    })
    .join("\n");
}

const encodeCharacter = (character: string) =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
