// Validates text fields of forms and handlers with zod: well-formed, no control characters, length
// in code points.

import { domainToASCII } from "node:url";
import { z } from "zod";

const CONTROL_CHARACTERS =
  /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/;

/**
 * Characters that leave no mark: those that Unicode says to ignore, format characters, and two
 * symbols that are blank. They don't count, but are allowed next to others, because emoji need some.
 */
const INVISIBLE_CHARACTERS = /[\p{Default_Ignorable_Code_Point}\p{Cf}\u2800\u{1d159}]/gu;

interface TextFieldOptions {
  /** The field's name in messages, such as "The title". */
  readonly label: string;
  /** In code points, after trimming. */
  readonly minLength?: number;
  readonly maxLength: number;
}

function textField(
  { label, minLength = 1, maxLength }: TextFieldOptions,
  clean: (text: string) => string,
) {
  return z
    .string({ error: `${label} is missing.` })
    .max(maxLength * 20 + 1_000, {
      error: `Maximum ${maxLength} characters.`,
      abort: true,
    })
    .transform((text) => clean(text.normalize("NFC")).trim())
    .superRefine((text, context) => {
      const length = [...text].length;
      const visibleLength = [...text.replace(INVISIBLE_CHARACTERS, "").trim()].length;
      const problem =
        !text.isWellFormed() || CONTROL_CHARACTERS.test(text)
          ? `${label} contains an invalid character.`
          : visibleLength === 0 && minLength > 0
            ? `${label} is missing.`
            : visibleLength < minLength
              ? `Use at least ${minLength} characters (you have ${visibleLength}).`
              : length > maxLength
                ? `Maximum ${maxLength} characters (you have ${length}).`
                : null;
      if (problem) context.addIssue({ code: "custom", message: problem });
    });
}

/**
 * A single line: whitespace collapses to single spaces, then `clean` runs before the length check.
 */
export const singleLineField = (
  bounds: TextFieldOptions,
  clean: (text: string) => string = (text) => text,
) => textField(bounds, (text) => clean(text.replace(/\s+/g, " ")));

/** Multiple lines: line endings become \n. */
export const multiLineField = (bounds: TextFieldOptions) =>
  textField(bounds, (text) => text.replace(/\r\n?/g, "\n"));

const INVALID_EMAIL = "Enter a valid email address, such as ada@example.com.";

/** Returns true for what browsers accept in type=email, within the lengths of RFC 5321. */
const isEmail = (text: string) =>
  text.length <= 254 && text.lastIndexOf("@") <= 64 && z.regexes.html5Email.test(text);

/** Returns the address with its domain in ASCII, as browsers submit it. */
function asciiDomain(text: string): string {
  const at = text.lastIndexOf("@") + 1;
  return at === 0 ? text : text.slice(0, at) + (domainToASCII(text.slice(at)) || text.slice(at));
}

/** An email address, lowercased, with its domain in ASCII (see isEmail). */
export const emailField = () =>
  z
    .string({ error: "Enter your email address." })
    .max(1_000, { error: INVALID_EMAIL, abort: true })
    .transform((text) => asciiDomain(text.normalize("NFC").trim().toLowerCase()))
    .refine((text) => text.length > 0, { error: "Enter your email address." })
    .refine((text) => text.length === 0 || isEmail(text), { error: INVALID_EMAIL });

/** A UUID, lowercased. */
export const uuidField = (name = "The id") =>
  z
    .string({ error: `${name} is missing.` })
    .max(200, { error: `${name} is invalid.`, abort: true })
    .toLowerCase()
    .refine((text) => z.uuid().safeParse(text).success, { error: `${name} is invalid.` });
