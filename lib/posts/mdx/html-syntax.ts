// Extends the MDX parser with what it rejects: comments, void tags such as <br> without a slash, and
// heading ids {#id}. The parser recognizes code, escapes, attributes and expressions, so none of
// those are affected.

import type { Plugin } from "./serialize.ts";

// The parts of micromark-util-types and mdast-util-from-markdown that are used here.
type Code = number | null;
export type State = (code: Code) => State | undefined;
export interface Token {
  readonly start: { readonly line: number };
  next?: Token;
}
interface Effects {
  enter(type: string, fields?: object): Token;
  exit(type: string): Token;
  consume(code: Code): void;
  attempt(construct: Construct | Construct[], ok: State, nok?: State): State;
  check(construct: Construct, ok: State, nok: State): State;
}
interface Tokenizer {
  readonly interrupt?: boolean;
  readonly parser: {
    readonly lazy: Record<number, boolean>;
    readonly constructs: { readonly [field in "flow" | "text"]: Record<number, Construct[]> };
  };
  readonly events: readonly (readonly [kind: string, token: { type: string }, context: unknown])[];
  now(): { line: number };
}
export interface Construct {
  readonly name?: string;
  readonly concrete?: boolean;
  readonly partial?: boolean;
  readonly resolve?: (events: never[]) => object[];
  readonly tokenize: (this: Tokenizer, effects: Effects, ok: State, nok: State) => State;
}
interface Tag {
  name?: string;
  close: boolean;
  selfClosing: boolean;
}
interface TreeBuilder {
  readonly data: { mdxJsxTag?: Tag; mdxJsxTagStack?: unknown[] };
  resume(): string;
}
type Handler = (this: TreeBuilder, token: unknown) => void;
interface TreeExtension {
  readonly enter?: Readonly<Record<string, Handler>>;
  readonly exit?: Readonly<Record<string, Handler>>;
}
type TreeExtensions = readonly (TreeExtension | TreeExtensions)[];

const OPEN = "<!--";
const CLOSE = "-->";
const LESS_THAN = 60;
const LEFT_BRACE = 123;
const VOID_TAGS = new Set("area br col embed hr img input link meta source track wbr".split(" "));

/** Negative codes are line endings (-5 to -3), a tab and its virtual spaces (-2 and -1). */
export const isLineEnding = (code: Code) => code !== null && code < -2;
const isSpace = (code: Code) => code === 32 || code === -2 || code === -1;

/** Moves to the next line, unless it is a lazy continuation of a list item or block quote. */
export const nextLine: Construct = {
  partial: true,
  tokenize(effects, ok, nok) {
    return (code) => {
      effects.enter("lineEnding");
      effects.consume(code);
      effects.exit("lineEnding");
      return (next) => (this.parser.lazy[this.now().line] ? nok(next) : ok(next));
    };
  },
};

/** A comment, without nodes in the tree. In text it ends with its paragraph. */
const comment: Construct = {
  name: "htmlComment",
  tokenize(effects, ok, nok) {
    let matched = 0;
    const start: State = (code) => {
      effects.enter("htmlComment");
      effects.enter("htmlCommentData");
      return open(code);
    };
    const open: State = (code) => {
      if (code !== OPEN.charCodeAt(matched)) return nok(code);
      effects.consume(code);
      matched += 1;
      if (matched < OPEN.length) return open;
      matched = 0;
      return inside;
    };
    const inside: State = (code) => {
      if (code === null) return nok(code);
      if (isLineEnding(code)) {
        matched = 0;
        effects.exit("htmlCommentData");
        return effects.attempt(nextLine, lineStart, nok)(code);
      }
      // A third hyphen also ends it: --->.
      if (code === CLOSE.charCodeAt(matched)) matched += 1;
      else if (!(code === 45 && matched === 2)) matched = code === 45 ? 1 : 0;
      effects.consume(code);
      return matched === CLOSE.length ? end : inside;
    };
    const lineStart: State = (code) => {
      if (isLineEnding(code)) return effects.attempt(nextLine, lineStart, nok)(code);
      effects.enter("htmlCommentData");
      return inside(code);
    };
    const end: State = (code) => {
      effects.exit("htmlCommentData");
      effects.exit("htmlComment");
      return ok(code);
    };
    return start;
  },
};

/** Lines of tags, expressions and comments between blocks, as MDX's own mdxJsxFlowTag. */
const tagsAndComments: Construct = {
  name: "jsxOrCommentFlow",
  concrete: true,
  tokenize(effects, ok, nok) {
    const { text, flow } = this.parser.constructs;
    const jsx = text[LESS_THAN]!.find(({ name }) => name === "mdxJsxTextTag")!;
    const expression = flow[LEFT_BRACE]!.find(({ name }) => name === "mdxFlowExpression")!;
    // MDX's construct for tags in flow never lets a comment follow; the one for text takes one tag.
    const tag: State = (code) => {
      const firstEvent = this.events.length;
      const afterTag: State = (next) => {
        for (const [, token] of this.events.slice(firstEvent))
          token.type = token.type.replace("mdxJsxText", "mdxJsxFlow");
        return afterPart(next);
      };
      return jsx.tokenize.call(this, effects, afterTag, nok)(code);
    };
    const start: State = (code) => effects.attempt(comment, afterPart, tag)(code);
    const afterPart: State = (code) => {
      if (!isSpace(code)) return end(code);
      effects.enter("whitespace");
      return space(code);
    };
    const space: State = (code) => {
      if (isSpace(code)) {
        effects.consume(code);
        return space;
      }
      effects.exit("whitespace");
      return end(code);
    };
    const end: State = (code) => {
      if (code === LESS_THAN) return start(code);
      if (code === LEFT_BRACE) return effects.attempt(expression, afterPart, nok)(code);
      return code === null || isLineEnding(code) ? ok(code) : nok(code);
    };
    return start;
  },
};

/** {#id} as text, for plugins/headings.ts. It is not a valid expression. */
const headingId: Construct = {
  name: "headingId",
  tokenize(effects, ok, nok) {
    let length = 0;
    const start: State = (code) => {
      effects.enter("data");
      effects.consume(code);
      return inside;
    };
    const inside: State = (code) => {
      if (code === null || code <= 32 || (length === 0 && code !== 35)) return nok(code);
      effects.consume(code);
      length += 1;
      if (code !== 125) return inside;
      effects.exit("data");
      return ok;
    };
    return start;
  },
};

/** Adds the syntax to a unified processor with remark-mdx. */
export const htmlSyntax = function (this: { data(): Record<string, unknown[] | undefined> }) {
  const data = this.data();
  data.micromarkExtensions!.push({
    flow: { [LESS_THAN]: tagsAndComments },
    text: { [LESS_THAN]: comment, [LEFT_BRACE]: headingId },
    disable: { null: ["mdxJsxFlowTag"] },
  });
  const own = data.fromMarkdownExtensions!;
  own.push(closeVoidTags(own as unknown as TreeExtensions));
} as unknown as Plugin;

/** Returns handlers that close a void tag where it opens, and drop its closing tag. */
function closeVoidTags(extensions: TreeExtensions): TreeExtension {
  const jsx = (extensions.flat(3) as TreeExtension[]).find(({ exit }) => exit?.mdxJsxFlowTag)!;
  const checkClosing = jsx.enter!.mdxJsxFlowTagClosingMarker!;
  const exitJsxTag = jsx.exit!.mdxJsxFlowTag!;
  const exitTag: Handler = function (token) {
    const tag = this.data.mdxJsxTag!;
    const isVoid = tag.name !== undefined && VOID_TAGS.has(toHtmlName(tag.name));
    if (isVoid && tag.close) return void this.resume();
    if (tag.close) checkClosing.call(this, token);
    if (isVoid) {
      tag.name = toHtmlName(tag.name!);
      tag.selfClosing = true;
    }
    exitJsxTag.call(this, token);
  };
  const ignore: Handler = () => undefined;
  return {
    // The check throws before the name is known.
    enter: { mdxJsxFlowTagClosingMarker: ignore, mdxJsxTextTagClosingMarker: ignore },
    exit: { mdxJsxFlowTag: exitTag, mdxJsxTextTag: exitTag },
  };
}

/** Returns the name of <BR> in lower case. A mixed-case name is a component: <Link>. */
const toHtmlName = (name: string) => (name === name.toUpperCase() ? name.toLowerCase() : name);
