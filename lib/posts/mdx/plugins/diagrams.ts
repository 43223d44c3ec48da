// Draws Mermaid diagrams as SVG at compile time. Colors are variables of components/post/code.css, so
// one drawing serves both themes.

import { Parser } from "htmlparser2";
import { escapeHtml } from "#lib/core/escape-html.ts";

/** A longer source is shown as code, because layout takes more than linear time. */
const MAX_SOURCE_LENGTH = 8_000;

const ELEMENTS = new Set(
  "svg g defs marker path line polyline polygon rect circle ellipse text tspan".split(" "),
);
const ATTRIBUTES = new Set(
  (
    "viewBox width height id x y x1 y1 x2 y2 dx dy cx cy r rx ry d points transform fill stroke " +
    "stroke-width stroke-dasharray stroke-linejoin stroke-linecap opacity fill-opacity " +
    "marker-start marker-end markerWidth markerHeight refX refY orient markerUnits " +
    "text-anchor dominant-baseline font-size font-weight font-style"
  ).split(" "),
);
/** Numbers, names, colors, and the variables and markers of the drawing itself. */
const VALUE =
  /^(?:url\(#[\w-]+\)|var\(--_?[\w-]+\)|[\w\s.,#%+-]*|(?:rgba?|hsla?|translate|rotate|scale)\([\d\s.,%deg-]+\))$/;

/**
 * Returns the drawing with ids that start with `idPrefix`. Throws an Error if the source is not a
 * diagram that can be drawn.
 */
export async function drawDiagram(source: string, idPrefix: string): Promise<string> {
  if (source.length > MAX_SOURCE_LENGTH)
    throw new Error(`it has more than ${MAX_SOURCE_LENGTH} characters`);
  // Imported with the first diagram, because the layout engine takes a second to load.
  const { renderMermaidSVG } = await import("beautiful-mermaid");
  const drawing = renderMermaidSVG(normalizeFlowchart(source), { transparent: true, padding: 8 });
  return copySafeParts(drawing, idPrefix);
}

/** Text in quotes, brackets or bars, and in the asymmetric shape ">text]". */
const LABEL =
  /"[^"\n]*"|\[(?:"[^"\n]*"|[^\]"\n])*\]+|\((?:"[^"\n]*"|[^)"\n])*\)+|\{(?:"[^"\n]*"|[^}"\n])*\}+|\|[^|\n]*\||(?<=\w)>[^\]\n]*\]/;
const LINK = /<?(?:-{2,}>|-{3,}|-\.+->?|={2,}>|={3,})/;
/** Not --o and --x, which the layout engine does not support. */
const LINK_WITH_TEXT =
  /(?<open><?(?:--|-\.|==))(?![xo]\s)\s*(?<text>[^-=.>|\s][^|>\n]*?)\s*(?<close>-{2,}>|-{3,}|\.+->?|={2,}>|={3,})/;
const FLOWCHART_PART = new RegExp(
  `(?<label>${LABEL.source})|${LINK_WITH_TEXT.source}|(?<link>${LINK.source})|;`,
  "g",
);
const NODE = String.raw`[\w-]+(?::::[\w-]+)?`;
const NODES = String.raw`\s*${NODE}(?:\s*&\s*${NODE})*\s*`;
const LINKED_NODES = new RegExp(`^${NODES}(?:\0${NODES})*$`);

/**
 * Rewrites the links of a flowchart for the layout engine, which would parse "A--" in "A-->B" as a
 * node. Throws an Error for a link that the engine would omit.
 */
function normalizeFlowchart(source: string): string {
  const text = source.replace(/^\s*%%.*$/gm, "");
  if (!/^\s*(?:graph|flowchart)\b/i.test(text)) return source;
  type Parts = Record<"label" | "open" | "text" | "close" | "link", string | undefined>;
  const replaceParts = (change: (parts: Parts) => string) =>
    text.replace(FLOWCHART_PART, (...args) => change(args.at(-1) as Parts));
  const structure = replaceParts(({ label, link, close }) =>
    label !== undefined ? "" : (link ?? close) !== undefined ? "\0" : "\n",
  );
  for (const line of structure.split("\n"))
    if (/\0|--|==|-\./.test(line) && !LINKED_NODES.test(line))
      throw new Error(`the links in "${line.replaceAll("\0", "-->").trim()}" are not supported`);
  return replaceParts(({ label, open, text: words, close, link }) => {
    if (label !== undefined) return label;
    if (link !== undefined) return ` ${shortenLink(link)}`;
    return open === undefined ? "\n" : ` ${open} ${words} ${shortenLink(close!)}`;
  });
}

/** A link's length only sets the distance of its nodes. */
const shortenLink = (link: string) =>
  link
    .replace(/([-=]){2,}>/, "$1$1>")
    .replace(/([-=]){3,}/, "$1$1$1")
    .replace(/\.+/, ".");

/**
 * Copies only known elements and attributes. The drawing's own style sheet would apply to the whole
 * page, and node names come from the author.
 */
function copySafeParts(drawing: string, idPrefix: string): string {
  let body = "";
  let viewBox = "";
  let width = 0;
  let skippedDepth = 0;
  const labels = new Map<string, string>();
  const edges: { from: string; to: string; label: string }[] = [];
  const texts: string[] = [];
  /** The text of the <text> element that is open; the parser splits it at character references. */
  let label: string | null = null;
  const parser = new Parser(
    {
      onopentag(name, attributes) {
        if (skippedDepth > 0 || !ELEMENTS.has(name)) {
          skippedDepth += 1;
          return;
        }
        if (name === "svg") {
          viewBox = /^[\d\s.-]+$/.exec(attributes.viewBox ?? "")?.[0] ?? "";
          width = Math.ceil(Number(attributes.width)) || 0;
          return;
        }
        if (attributes.class === "node")
          labels.set(attributes["data-id"] ?? "", attributes["data-label"] ?? "");
        if (attributes.class === "edge")
          edges.push({
            from: attributes["data-from"] ?? "",
            to: attributes["data-to"] ?? "",
            label: attributes["data-label"] ?? "",
          });
        if (name === "text") label = "";
        body += `<${name}${serializeAttributes(attributes, idPrefix)}>`;
      },
      ontext(text) {
        if (skippedDepth > 0 || label === null) return;
        body += escapeHtml(text);
        label += text;
      },
      onclosetag(name) {
        if (skippedDepth > 0) {
          skippedDepth -= 1;
          return;
        }
        if (name !== "svg") body += `</${name}>`;
        if (name === "tspan" && label !== null) label += " ";
        if (name !== "text" || label === null) return;
        texts.push(label.replace(/\s+/g, " ").trim());
        label = null;
      },
    },
    { xmlMode: true },
  );
  parser.end(drawing);
  if (viewBox === "" || texts.length === 0) throw new Error("the drawing is empty");
  const description = describe(edges, labels) || texts.join(", ");
  return `<svg viewBox="${viewBox}" width="${width}" role="img" aria-label="${escapeHtml(description)}">${body}</svg>`;
}

function serializeAttributes(attributes: Record<string, string>, idPrefix: string): string {
  return Object.entries(attributes)
    .filter(([name, value]) => ATTRIBUTES.has(name) && VALUE.test(value))
    .map(([name, value]) => {
      const unique =
        name === "id" ? idPrefix + value : value.replace(/^url\(#/, `url(#${idPrefix}`);
      return ` ${name}="${escapeHtml(unique)}"`;
    })
    .join("");
}

/** Returns "Reader to Replica (beacon), Replica to Primary"; "" for a diagram without edges. */
function describe(
  edges: readonly { from: string; to: string; label: string }[],
  labels: ReadonlyMap<string, string>,
): string {
  const name = (id: string) => labels.get(id) || id;
  return edges
    .map(({ from, to, label }) => `${name(from)} to ${name(to)}${label && ` (${label})`}`)
    .join(", ");
}
