// Runs a compiled post to get an HTML tree (hast), without React and the site's components.

import type { ElementContent, Properties } from "hast";
import { fromHtml } from "hast-util-from-html";

type Props = Record<string, unknown>;
type Component = (props: Props) => unknown;

/** Converts JSX children: nodes, text and numbers. Drops null, booleans and undefined. */
function toNodes(value: unknown): ElementContent[] {
  if (Array.isArray(value)) return value.flatMap(toNodes);
  if (typeof value === "string" || typeof value === "number")
    return [{ type: "text", value: String(value) }];
  return typeof value === "object" && value !== null ? [value as ElementContent] : [];
}

/** Creates hast instead of React elements. JSX compiled from hast uses its property names. */
function jsx(type: unknown, { children, ...properties }: Props): ElementContent[] {
  if (typeof type === "function") return toNodes((type as Component)({ ...properties, children }));
  const nodes = toNodes(children);
  return typeof type === "string"
    ? [
        {
          type: "element",
          tagName: type,
          properties: properties as Properties,
          children: nodes,
        },
      ]
    : nodes;
}

function createLinkParagraph(href: string, text: string): ElementContent {
  const link = jsx("a", { href, children: text });
  return jsx("p", { children: link })[0]!;
}

/**
 * Returns the content of a compiled post. `names` are the components it uses ("Embed",
 * "C.Counter"): an embed becomes a link, any other component a link to `url`, followed by its
 * children. Throws any error that the post throws.
 */
export function postToHast(
  compiledSource: string,
  names: readonly string[],
  url: string,
): ElementContent[] {
  const renderPlaceholder: Component = ({ children }) => [
    createLinkParagraph(url, "This part works only on the site."),
    children,
  ];
  const components: Record<string, unknown> = {};
  for (const name of names) {
    const [root = "", member] = name.split(".");
    if (member === undefined)
      components[root] = Object.assign(renderPlaceholder.bind(null), components[root]);
    else components[root] = Object.assign(components[root] ?? {}, { [member]: renderPlaceholder });
  }
  components.StaticHtml = ({ html }: Props) => fromHtml(String(html), { fragment: true }).children;
  components.Embed = ({ url: link }: Props) => createLinkParagraph(String(link), String(link));
  // Runs the same source as pages do, from the same reviewed posts (docs/decisions/010).
  const { default: Content } = new Function(compiledSource)({
    Fragment: undefined,
    jsx,
    jsxs: jsx,
  }) as { default: Component };
  return toNodes(Content({ components }));
}
