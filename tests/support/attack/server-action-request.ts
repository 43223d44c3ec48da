// The two ways to call a server action: as a form without scripts, and as the site's own scripts do. And what it answered.

import { type AttackResponse, type MultipartPart, encodeMultipart } from "./attack-client.ts";

export type Fields = Readonly<Record<string, string>>;
export type ActionTransport = "form" | "call";
export const ACTION_TRANSPORTS: readonly ActionTransport[] = ["form", "call"];

const INITIAL_FORM_STATE = { status: "new", message: null, code: null, errors: {}, values: {} };

interface ActionRequest {
  readonly method: "POST";
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** The parts of a form whose browser runs no scripts, in the order React writes them. */
export function makeFormParts(
  id: string,
  fields: readonly MultipartPart[],
  previous: unknown = [INITIAL_FORM_STATE],
): MultipartPart[] {
  return [
    ["$ACTION_REF_1", ""],
    ["$ACTION_1:0", JSON.stringify({ id, bound: "$@1" })],
    ["$ACTION_1:1", JSON.stringify(previous)],
    ["$ACTION_KEY", "k"],
    ...fields,
  ];
}

/** The parts of a call by script: the arguments as JSON in "0", the form's fields beside it. */
export function makeCallParts(
  fields: readonly MultipartPart[],
  args: string = JSON.stringify([INITIAL_FORM_STATE, "$K1"]),
): MultipartPart[] {
  return [...fields.map(([name, value]) => [`_1_${name}`, value] as const), ["0", args]];
}

export function makeActionRequest(
  way: ActionTransport,
  id: string,
  page: string,
  fields: Fields,
): ActionRequest {
  const parts = Object.entries(fields);
  const { body, headers } = encodeMultipart(
    way === "form" ? makeFormParts(id, parts) : makeCallParts(parts),
  );
  return {
    method: "POST",
    path: page,
    headers:
      way === "form" ? headers : { ...headers, "next-action": id, accept: "text/x-component" },
    body,
  };
}

export interface ActionResult {
  /** none: the answer shows no form, as when the page itself turned the visitor away. */
  readonly status: "done" | "refused" | "redirect" | "none";
  readonly code: string | null;
  readonly message: string;
  readonly location: string | null;
}

const stripTags = (html: string) =>
  html
    .replace(/<[^>]+>/g, " ")
    .replace(/\s+/g, " ")
    .trim();

/** What an action said, read from the page or from the answer to the script. */
export function parseActionResult(got: AttackResponse): ActionResult {
  const none = { code: null, message: "", location: null };
  const location =
    (got.headers["x-action-redirect"] as string | undefined)?.replace(/;(push|replace)$/, "") ??
    got.headers.location;
  if (location !== undefined) return { ...none, status: "redirect", location };
  const state = /^\w+:(\{"status":"(?:done|refused)".*\})$/m.exec(got.text)?.[1];
  if (state && got.headers["content-type"]?.startsWith("text/x-component")) {
    const { status, code, message, errors } = JSON.parse(state) as {
      status: "done" | "refused";
      code: string | null;
      message: string | null;
      errors: Record<string, string>;
    };
    return { ...none, status, code, message: [message, ...Object.values(errors)].join(" · ") };
  }
  const shown = /class="form-message form-message-(done|refused)"[^>]*>([\s\S]*?)<\/div>/.exec(
    got.text,
  );
  if (shown)
    return { ...none, status: shown[1] as "done" | "refused", message: stripTags(shown[2] ?? "") };
  if (got.status >= 400)
    return {
      ...none,
      status: "refused",
      code: String(got.status),
      message: stripTags(got.text).slice(0, 200),
    };
  return { ...none, status: "none" };
}
