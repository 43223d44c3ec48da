// Describes a rule that converts one kind of HTML element to MDX.

export interface HtmlContext {
  /** Returns what the post writes for the URL of an image or file: "./a.jpg", or a URL. */
  readonly resolveAsset: (url: string) => string;
  /** Returns whether the URL is a file of the old site, such as a PDF that a post links to. */
  readonly isAsset: (url: string) => boolean;
  /** Returns the address to link to. */
  readonly resolveLink: (url: string) => string;
  /** Reports what was lost. */
  readonly warn: (reason: string) => void;
}

/** What a rule gets besides the element and its converted content. */
export interface Conversion extends HtmlContext {
  /** Converts the children of an element. */
  readonly convert: (element: Element) => string;
}

export interface HtmlRule {
  readonly matches: (element: Element) => boolean;
  readonly replace: (element: Element, content: string, conversion: Conversion) => string;
}
