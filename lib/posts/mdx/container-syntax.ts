// Extends the Markdown parser with containers, `:::note` to `:::`, as in Docusaurus and VitePress.

import { subtokenize } from "micromark-util-subtokenize";
import { openFenceAfter } from "./open-fence-after.ts";
import { isLineEnding, nextLine, type Construct, type State, type Token } from "./html-syntax.ts";
import type { Plugin } from "./serialize.ts";

/** A container in the Markdown tree. If `hasTitle`, its first child is the title. */
export interface ContainerInfo {
  /** Empty for `::: {.class}` and for a stray `:::`. */
  readonly kind: string;
  readonly attributes: string;
  readonly hasTitle: boolean;
  /** False if it ends with its parent, without a closing fence. */
  isClosed: boolean;
}
type Event = Parameters<typeof subtokenize>[0][number];
interface TreeBuilder {
  enter(node: object, token: object): void;
  exit(token: object): void;
}

const COLON = 58;
/** Matches an opening line: colons, kind, title in brackets or after a space, attributes. */
const OPENING =
  /^(:{3,})[ \t]*(?:([a-z][\w-]*)(?:[ \t]*\[(.*)\]|[ \t]+([^\s{].*?))?)?[ \t]*(?:\{(.*)\})?$/di;
/** Limits how long the pattern takes. */
const MAX_OPENING_CHARS = 500;

/** Passes the rest of a line, without its line ending, to `onLine`. A tab counts as spaces. */
const restOfLine = (onLine: (line: string) => void): Construct => ({
  partial: true,
  tokenize(effects, ok) {
    let line = "";
    const read: State = (code) => {
      if (code === null || isLineEnding(code)) {
        if (line !== "") effects.exit("data");
        onLine(line);
        return ok(code);
      }
      if (line === "") effects.enter("data");
      effects.consume(code);
      line += code < 0 ? " " : String.fromCharCode(code);
      return read;
    };
    return read;
  },
});

/**
 * Parses the content as a document. It ends with its parent, or at a fence that is at least as
 * long.
 */
const container: Construct = {
  name: "container",
  concrete: true,
  resolve: parseContent,
  tokenize(effects, ok, nok) {
    let line = "";
    let opening: RegExpExecArray | null = null;
    let token: ContainerInfo;
    let title: [start: number, end: number] | undefined;
    let column = 0;
    let codeFence: string | null = null;
    let previous: Token | undefined;
    const peekLine = restOfLine((text) => (line = text));

    const open: State = (code) => {
      if (line.length <= MAX_OPENING_CHARS) opening = OPENING.exec(line.trimEnd());
      if (!opening) return nok(code);
      const [, , kind = "", inBrackets, afterSpace, attributes = ""] = opening;
      if ((inBrackets ?? afterSpace ?? "").trim() !== "")
        title = opening.indices![3] ?? opening.indices![4];
      token = { kind: kind.toLowerCase(), attributes, hasTitle: !!title, isClosed: false };
      effects.enter("container", token);
      effects.enter("containerFence");
      return info(code);
    };
    const info: State = (code) => {
      if (column === title?.[0]) {
        effects.exit("containerFence");
        effects.enter("containerTitle");
        effects.enter("chunkText", { contentType: "text" });
      } else if (column === title?.[1]) {
        effects.exit("chunkText");
        effects.exit("containerTitle");
        if (code === null || isLineEnding(code)) return afterInfo(code);
        effects.enter("containerFence");
      } else if (code === null || isLineEnding(code)) {
        effects.exit("containerFence");
        return afterInfo(code);
      }
      effects.consume(code);
      column += 1;
      return info;
    };
    const afterInfo: State = (code) => {
      const isStray = opening![0] === opening![1];
      if (code === null || this.interrupt || isStray) return end(code);
      return effects.attempt(nextLine, lineStart, end)(code);
    };
    const lineStart: State = (code) => effects.check(peekLine, afterPeek, nok)(code);
    const afterPeek: State = (code) => {
      const text = line.trim();
      const isClosing =
        codeFence === null && /^:{3,}$/.test(text) && text.length >= opening![1]!.length;
      if (isClosing) {
        token.isClosed = true;
        effects.enter("containerFence");
        return closingFence(code);
      }
      codeFence = openFenceAfter(line, codeFence);
      if (code === null) return end(code);
      return isLineEnding(code) ? effects.check(nextLine, chunk, end)(code) : chunk(code);
    };
    const chunk: State = (code) => {
      const token = effects.enter("chunkDocument", { contentType: "document", previous });
      if (previous) previous.next = token;
      previous = token;
      return content(code);
    };
    const content: State = (code) => {
      if (code === null) return exitChunk(code);
      if (isLineEnding(code)) return effects.check(nextLine, lastOfLine, exitChunk)(code);
      effects.consume(code);
      return content;
    };
    const lastOfLine: State = (code) => {
      effects.consume(code);
      const token = effects.exit("chunkDocument");
      this.parser.lazy[token.start.line] = false;
      return lineStart;
    };
    const exitChunk: State = (code) => {
      const token = effects.exit("chunkDocument");
      this.parser.lazy[token.start.line] = false;
      return end(code);
    };
    const closingFence: State = (code) => {
      if (code !== null && !isLineEnding(code)) {
        effects.consume(code);
        return closingFence;
      }
      effects.exit("containerFence");
      return end(code);
    };
    const end: State = (code) => {
      effects.exit("container");
      return ok(code);
    };
    return effects.check(peekLine, open, nok);
  },
};

/**
 * Parses the content when the container ends, so that earlier text finds its definitions. Leaves the
 * title for later, when all definitions are known.
 */
function parseContent(events: Event[]): Event[] {
  const titles = events.map(([, token]) => token).filter(({ type }) => type === "chunkText");
  for (const token of titles) delete token.contentType;
  subtokenize(events);
  for (const token of titles) token.contentType = "text";
  return events;
}

/** Adds the syntax to a unified processor. */
export const containerSyntax = function (this: { data(): Record<string, unknown[] | undefined> }) {
  const data = this.data();
  data.micromarkExtensions!.push({ flow: { [COLON]: container } });
  data.fromMarkdownExtensions!.push({
    enter: {
      container(this: TreeBuilder, token: ContainerInfo) {
        const { kind, attributes, hasTitle, isClosed } = token;
        this.enter(
          { type: "container", kind, attributes, hasTitle, isClosed, children: [] },
          token,
        );
      },
      containerTitle(this: TreeBuilder, token: object) {
        // Not a paragraph yet, because MDX unwraps those that contain only JSX or an expression.
        this.enter({ type: "containerTitle", children: [] }, token);
      },
    },
    exit: { container: exitNode, containerTitle: exitNode },
  });
} as unknown as Plugin;

function exitNode(this: TreeBuilder, token: object) {
  this.exit(token);
}
