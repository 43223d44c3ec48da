// Lists the HTML elements a post may use.

import { isJsx, type Node } from "#lib/posts/mdx/mdx-tree.ts";

const splitNames = (list: string) => new Set(list.split(/\s+/));

/** Phrasing content: elements allowed inside a paragraph. */
export const phrasingElements = splitNames(
  "a abbr audio b bdi bdo big br cite code data del dfn em font i img input ins kbd label mark math meter picture progress q rp rt ruby s samp small source span " +
    "strike strong sub sup svg time tt u var video wbr",
);

/** Elements that may contain only phrasing content. */
export const phrasingParents = splitNames(
  "p h1 h2 h3 h4 h5 h6 span a em strong del s b i u code sub sup small mark q cite label summary dt figcaption",
);

const flowElements = splitNames(
  "address article aside blockquote caption center col colgroup dd details div dl dt figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr li nav ol p pre " +
    "search section summary table tbody td tfoot th thead tr track ul",
);

export const mathmlElements = splitNames(
  "annotation maction math menclose merror mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup " +
    "mtable mtd mtext mtr munder munderover none semantics",
);

export const svgElements = splitNames(
  "svg circle clipPath defs desc ellipse feBlend feColorMatrix feGaussianBlur feOffset filter g line linearGradient marker mask path pattern polygon polyline " +
    "radialGradient rect stop symbol text textPath title tspan use",
);

/** Returns whether a post may contain the element. */
export function isAllowedTag(name: string): boolean {
  return (
    phrasingElements.has(name) ||
    flowElements.has(name) ||
    mathmlElements.has(name) ||
    svgElements.has(name)
  );
}

/** Returns whether a node may be inside a paragraph: text, phrasing elements, inline components. */
export function isPhrasing(node: Node): boolean {
  if (node.type === "element")
    return (
      (phrasingElements.has(node.tagName) ||
        svgElements.has(node.tagName) ||
        /^callout-/.test(node.tagName)) &&
      node.children.every(isPhrasing)
    );
  if (isJsx(node)) return node.type === "mdxJsxTextElement";
  return true;
}
