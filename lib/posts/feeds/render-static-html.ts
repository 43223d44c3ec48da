// Runs a compiled post without React: what is not HTML becomes a link to the place where it works.

import { escapeHtml } from "#lib/core/escape-html.ts";

/** HTML that is ready, in contrast to text, which gets escaped. */
class RenderedHtml {
  readonly html: string;
  constructor(html: string) {
    this.html = html;
  }
}

type Props = Record<string, unknown>;
type Component = (props: Props) => unknown;

const VOID_ELEMENTS = new Set(
  "area base br col embed hr img input link meta source track wbr".split(" "),
);
const Fragment = Symbol("fragment");
const ATTRIBUTE_NAMES: Record<string, string> = {
  className: "class",
  htmlFor: "for",
  colSpan: "colspan",
  rowSpan: "rowspan",
  dateTime: "datetime",
};

function renderNode(node: unknown): string {
  if (Array.isArray(node)) return node.map(renderNode).join("");
  if (node instanceof RenderedHtml) return node.html;
  return typeof node === "string" || typeof node === "number" ? escapeHtml(String(node)) : "";
}

function renderAttribute([key, value]: [string, unknown]): string {
  if (key === "children" || !/^[a-z][\w-]*$/i.test(key) || key.startsWith("on")) return "";
  if (value === true) return ` ${ATTRIBUTE_NAMES[key] ?? key.toLowerCase()}`;
  return typeof value === "string" || typeof value === "number"
    ? ` ${ATTRIBUTE_NAMES[key] ?? key.toLowerCase()}="${escapeHtml(String(value))}"`
    : "";
}

function jsx(type: unknown, props: Props): RenderedHtml {
  if (typeof type === "function") return new RenderedHtml(renderNode((type as Component)(props)));
  if (typeof type !== "string") return new RenderedHtml(renderNode(props.children));
  const head = `<${type}${Object.entries(props).map(renderAttribute).join("")}>`;
  return new RenderedHtml(
    VOID_ELEMENTS.has(type) ? head : `${head}${renderNode(props.children)}</${type}>`,
  );
}

/**
 * The HTML of a compiled post. `names` are the components it uses ("Embed", "C.Counter"); an embed becomes its link,
 * any other a link to `url`, where the post can be seen whole. Throws what the post's own expressions throw.
 */
export function renderStaticHtml(
  compiledSource: string,
  names: readonly string[],
  url: string,
): string {
  const elsewhere: Component = ({ children }) => [
    new RenderedHtml(`<p><a href="${escapeHtml(url)}">This part works only on the site.</a></p>`),
    children,
  ];
  const components: Record<string, unknown> = {};
  for (const name of names) {
    const [object = "", member] = name.split(".");
    if (member === undefined)
      components[object] = Object.assign(elsewhere.bind(null), components[object]);
    else components[object] = Object.assign(components[object] ?? {}, { [member]: elsewhere });
  }
  components.Html = ({ html }: Props) => new RenderedHtml(String(html));
  components.Embed = ({ url: link }: Props) =>
    new RenderedHtml(
      `<p><a href="${escapeHtml(String(link))}">${escapeHtml(String(link))}</a></p>`,
    );
  // The same text that the page runs, from the same reviewed posts (decision: MDX is code).
  const { default: Content } = new Function(compiledSource)({ Fragment, jsx, jsxs: jsx }) as {
    default: Component;
  };
  return renderNode(Content({ components }));
}
