// Text inside markup.

const ENTITY_BY_CHARACTER: Record<string, string> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
};

/** Text made safe inside an element and inside a quoted attribute, of HTML as of XML. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (sign) => ENTITY_BY_CHARACTER[sign] ?? sign);
}
