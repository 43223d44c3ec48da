// Escapes text for HTML and XML.

const ENTITY_BY_CHARACTER: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/**
 * Escapes text for the content of an HTML element. Keeps quotes, so that the result stays readable
 * where a feed reader shows it as text.
 */
export function escapeHtmlText(text: string): string {
  return text.replace(/[&<>]/g, (character) => ENTITY_BY_CHARACTER[character] ?? character);
}

/** Escapes text for an element or a quoted attribute, in HTML and XML. Prevents XSS. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITY_BY_CHARACTER[character] ?? character);
}
