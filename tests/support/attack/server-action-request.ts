// Encodes calls of server actions, like a form without JavaScript and like React's client, and
// parses the results.

import {
  type AttackResponse,
  type MultipartPart,
  SAME_ORIGIN_HEADERS,
  encodeMultipart,
} from "./attack-client.ts";
import { getActionId } from "./build-manifest.ts";

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

/** Returns the parts of a form without JavaScript, in React's order. */
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

/**
 * Returns the parts of a call by React's client: the arguments as JSON in "0", and the form's
 * fields.
 */
export function makeCallParts(
  fields: readonly MultipartPart[],
  args: string = JSON.stringify([INITIAL_FORM_STATE, "$K1"]),
): MultipartPart[] {
  return [...fields.map(([name, value]) => [`_1_${name}`, value] as const), ["0", args]];
}

export function makeActionRequest(
  transport: ActionTransport,
  id: string,
  page: string,
  fields: Fields,
): ActionRequest {
  const parts = Object.entries(fields);
  const { body, headers } = encodeMultipart(
    transport === "form" ? makeFormParts(id, parts) : makeCallParts(parts),
  );
  return {
    method: "POST",
    path: page,
    headers:
      transport === "form"
        ? headers
        : { ...headers, "next-action": id, accept: "text/x-component" },
    body,
  };
}

/** Returns a call of the action `name`, like one from a page of the site. */
export function makeSameOriginAction(
  transport: ActionTransport,
  name: string,
  page: string,
  fields: Fields,
): ActionRequest {
  const request = makeActionRequest(transport, getActionId(name), page, fields);
  return { ...request, headers: { ...request.headers, ...SAME_ORIGIN_HEADERS } };
}

export interface ActionResult {
  /** `none`: the response contains no form, for example because the page denied access. */
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

/** Parses an action's result from a page or from the response to React's client. */
export function parseActionResult(response: AttackResponse): ActionResult {
  const none = { code: null, message: "", location: null };
  const location =
    (response.headers["x-action-redirect"] as string | undefined)?.replace(
      /;(push|replace)$/,
      "",
    ) ?? response.headers.location;
  if (location !== undefined) return { ...none, status: "redirect", location };
  const state = /^\w+:(\{"status":"(?:done|refused)".*\})$/m.exec(response.text)?.[1];
  if (state && response.headers["content-type"]?.startsWith("text/x-component")) {
    const { status, code, message, errors } = JSON.parse(state) as {
      status: "done" | "refused";
      code: string | null;
      message: string | null;
      errors: Record<string, string>;
    };
    return { ...none, status, code, message: [message, ...Object.values(errors)].join(" · ") };
  }
  const message = /class="form-message form-message-(done|refused)"[^>]*>([\s\S]*?)<\/div>/.exec(
    response.text,
  );
  if (message)
    return {
      ...none,
      status: message[1] as "done" | "refused",
      message: stripTags(message[2] ?? ""),
    };
  if (response.status >= 400)
    return {
      ...none,
      status: "refused",
      code: String(response.status),
      message: stripTags(response.text).slice(0, 200),
    };
  return { ...none, status: "none" };
}
