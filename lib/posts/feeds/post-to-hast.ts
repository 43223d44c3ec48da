// Runs a compiled post to get an HTML tree (hast), without React and the site's components.

import type { ElementContent, Properties } from "hast";
import { fromHtml } from "hast-util-from-html";
import type { Features } from "#lib/core/features.ts";
import { siteConfig } from "#lib/core/site-config.ts";

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
function createNodes(type: unknown, { children, ...properties }: Props): ElementContent[] {
  if (typeof type !== "string") return toNodes(children);
  const { dangerouslySetInnerHTML: inner, ...rest } = properties;
  const html = (inner as { __html?: unknown } | undefined)?.__html;
  return [
    {
      type: "element",
      tagName: type,
      properties: keepAttributes(rest),
      children:
        html === undefined
          ? toNodes(children)
          : (fromHtml(String(html), { fragment: true }).children as ElementContent[]),
    },
  ];
}

/** Components may have properties that are not attributes, such as styles and functions. */
function keepAttributes(properties: Props): Properties {
  return Object.fromEntries(
    Object.entries(properties).filter(
      ([, value]) => Array.isArray(value) || !/^(?:object|function)$/.test(typeof value),
    ),
  ) as Properties;
}

function createLink(href: string, text: string): ElementContent {
  return createNodes("a", { href, children: text })[0]!;
}

function createLinkParagraph(href: string, text: string): ElementContent {
  return createNodes("p", { children: createLink(href, text) })[0]!;
}

const PLACEHOLDER_TEXT = "This part works only on the site.";

/** Returns JSX's functions, and what components without state use of React. */
function createRuntime(url: string) {
  const jsx = (type: unknown, props: Props): ElementContent[] =>
    typeof type === "function"
      ? renderComponent(type as Component, props, url)
      : createNodes(type, props);
  const jsxRuntime = { Fragment: undefined, jsx, jsxs: jsx };
  const react = {
    Fragment: undefined,
    createElement: (type: unknown, props: Props | null, ...children: unknown[]) =>
      jsx(type, { ...props, ...(children.length > 0 && { children }) }),
    memo: (component: Component) => component,
    forwardRef: (render: (props: Props, ref: null) => unknown) => (props: Props) =>
      render(props, null),
  };
  const require = (name: string) => (name === "react/jsx-runtime" ? jsxRuntime : react);
  return { ...jsxRuntime, require };
}

/** A component that fails or suspends becomes a link. */
function renderComponent(component: Component, props: Props, url: string): ElementContent[] {
  try {
    const result = component(props);
    if (!(result instanceof Promise)) return toNodes(result);
    result.catch(() => undefined);
  } catch {
    // The page reports the failure.
  }
  return [createLinkParagraph(url, PLACEHOLDER_TEXT)];
}

/**
 * Returns the content of a compiled post. `names` are the components of the page that it uses: an
 * embed becomes a link, any other one and an interactive part become a link to `url`, followed by
 * the children. Throws any error that the post throws.
 */
export function postToHast(
  compiledSource: string,
  names: readonly string[],
  url: string,
): ElementContent[] {
  const renderPlaceholder: Component = ({ children, inline }) =>
    inline
      ? [createLink(url, PLACEHOLDER_TEXT), children === undefined ? null : " ", children]
      : [createLinkParagraph(url, PLACEHOLDER_TEXT), children];
  const components: Record<string, unknown> = {
    PostIsland: renderPlaceholder,
    TabList: () => null,
  };
  for (const name of names) {
    const [root = "", member] = name.split(".");
    if (member === undefined)
      components[root] = Object.assign(renderPlaceholder.bind(null), components[root]);
    else components[root] = Object.assign(components[root] ?? {}, { [member]: renderPlaceholder });
  }
  components.StaticHtml = ({ html }: Props) => fromHtml(String(html), { fragment: true }).children;
  // Readers of feeds and emails have subscribed.
  components.SubscribeForm = () => null;
  components.Feature = ({ name, children }: Props) =>
    siteConfig.features[name as keyof Features] ? children : null;
  components.Embed = ({ url: link }: Props) => createLinkParagraph(String(link), String(link));
  // Runs the same source as pages do, from the same reviewed posts (docs/decisions/010).
  const { default: Content } = new Function(compiledSource)(createRuntime(url)) as {
    default: Component;
  };
  return toNodes(Content({ components }));
}
