// Extends the Markdown parser with formulas between dollars.

import remarkMath from "remark-math";
import type { Plugin } from "#lib/posts/mdx/serialize.ts";

type Code = number | null;
type State = (code: Code) => State | undefined;
/** The parts of micromark's tokenizer that are used here. */
interface Tokenizer {
  readonly events: readonly (readonly [kind: string, token: object, context: unknown])[];
  sliceSerialize(token: object): string;
}
interface Construct {
  readonly tokenize: (this: Tokenizer, effects: object, ok: State, nok: State) => State;
}
interface SyntaxExtension {
  readonly text: Record<number, Construct>;
}

const DOLLAR = 36;

/**
 * Adds remark-math to a unified processor, with Pandoc's rule for "$10 to $20": an amount of money
 * is text, and its dollar may be followed by a formula.
 */
export const mathSyntax = function (this: { data(): Record<string, unknown[] | undefined> }) {
  (remarkMath as unknown as (this: object) => void).call(this);
  const { text } = this.data().micromarkExtensions!.at(-1) as SyntaxExtension;
  const formula = text[DOLLAR]!;
  text[DOLLAR] = {
    ...formula,
    tokenize(effects, ok, nok) {
      const end: State = (code) => {
        const source = this.sliceSerialize(this.events.at(-1)![1]);
        return isMoney(source, code) ? nok(code) : ok(code);
      };
      return formula.tokenize.call(this, effects, end, nok);
    },
  };
} as unknown as Plugin;

const isSpace = (character = "") => /\s/.test(character);

/** Returns whether a space follows the opening dollar or precedes the closing one, or a digit follows. */
function isMoney(source: string, next: Code): boolean {
  const value = source.replace(/^\$+/, "").replace(/(?<!\$)\$+$/, "");
  // As around code, one space on both sides is not part of the formula.
  const isPadded = isSpace(value.at(0)) && isSpace(value.at(-1)) && value.trim() !== "";
  const formula = isPadded ? value.slice(1, -1) : value;
  const isBeforeDigit = next !== null && next >= 48 && next <= 57;
  return isSpace(formula.at(0)) || isSpace(formula.at(-1)) || isBeforeDigit;
}
