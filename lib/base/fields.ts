// What forms and handlers take as text, in zod's terms: whole characters, no control signs, counted as people count.

import { z } from "zod";

// eslint-disable-next-line no-control-regex -- refusing them is the point
const CONTROL =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;

interface Bounds {
  /** How a message calls the field: "The title". */
  readonly name: string;
  /** In characters (code points), after white space around it is gone. */
  readonly min?: number;
  readonly max: number;
}

function bounded({ name, min = 1, max }: Bounds, clean: (text: string) => string) {
  return z
    .string({ error: `${name} is missing.` })
    .max(max * 20 + 1_000, {
      error: `${name} is far too long: at most ${max} characters.`,
      abort: true,
    })
    .transform((text) => clean(text.normalize("NFC")).trim())
    .superRefine((text, context) => {
      const length = [...text].length;
      const problem = !text.isWellFormed()
        ? `${name} holds half a character.`
        : CONTROL.test(text)
          ? `${name} holds a control character; write it without.`
          : length === 0 && min > 0
            ? `${name} is missing.`
            : length < min
              ? `${name} needs at least ${min} characters; these are ${length}.`
              : length > max
                ? `${name} has ${length} characters; at most ${max} fit.`
                : null;
      if (problem) context.addIssue({ code: "custom", message: problem });
    });
}

/** One line of text: white space is one space each; then `clean`, before it is counted. */
export const line = (bounds: Bounds, clean: (text: string) => string = (text) => text) =>
  bounded(bounds, (text) => clean(text.replace(/\s+/g, " ")));

/** Text of several lines: line ends become \n. */
export const lines = (bounds: Bounds) => bounded(bounds, (text) => text.replace(/\r\n?/g, "\n"));

/** An address for mail, in lower case; at most 254 characters (RFC 5321). */
export const email = () =>
  z
    .string({ error: "The address is missing." })
    .max(1_000, { error: "This is not a mail address.", abort: true })
    .transform((text) => text.normalize("NFC").trim().toLowerCase())
    .refine((text) => text.length > 0, { error: "The address is missing." })
    .refine(
      (text) => text.length === 0 || (text.length <= 254 && z.email().safeParse(text).success),
      { error: "This is not a mail address. One looks like ada@example.com." },
    );

/** A random id of ours (UUID), in lower case. */
export const id = (name = "The id") =>
  z
    .string({ error: `${name} is missing.` })
    .max(200, { error: `${name} is not one of ours.`, abort: true })
    .toLowerCase()
    .refine((text) => z.uuid().safeParse(text).success, { error: `${name} is not one of ours.` });
