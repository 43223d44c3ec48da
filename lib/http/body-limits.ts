// Defines the maximum size of a request body per route. A handler may enforce a smaller limit.

import type { IncomingHttpHeaders } from "node:http";

interface BufferedBodyLimit {
  readonly maxBytes: number;
  /** A larger limit, for requests with an admin's session. */
  readonly adminMaxBytes?: number;
  /** Requests without this header are refused with `status` before the body is read. */
  readonly requiredHeader?: {
    readonly name: string;
    readonly status: number;
    readonly message: string;
    /** Headers of this error response. */
    readonly headers?: Readonly<Record<string, string>>;
  };
}

/**
 * BufferedBodyLimit: the pipeline receives the whole body, then calls the handler. "streamed": the
 * handler authorizes the sender, then reads and limits the body. "unread": nothing reads the body.
 */
export type BodyLimit = BufferedBodyLimit | "streamed" | "unread";

/** A JSON-RPC request of the Model Context Protocol. */
export const MCP_MAX_BYTES = 16_384;

/**
 * Asks for Basic authentication (RFC 7617). Amazon SNS sends the password in its URL only after a
 * challenge with a realm.
 */
export const NEWSLETTER_CHALLENGE = { "www-authenticate": 'Basic realm="newsletter"' };

const ROUTES: readonly (readonly [path: RegExp, limit: BodyLimit])[] = [
  [/^\/(reads(\/(place|start))?|me\/saved)$/, { maxBytes: 2_048 }],
  [/^\/(login\/passkey|me\/passkeys)\/(options|verify)$/, { maxBytes: 20_000 }],
  [/^\/mcp$/, { maxBytes: MCP_MAX_BYTES }],
  // Without its own limit, a POST with a body would become a GET.
  [/^\/unsubscribe\/one-click$/, { maxBytes: 1_024 }],
  [/^\/calls\/upload$/, { maxBytes: 1_024 }],
  [/^\/calls\/upload(\/[^/]+){1,2}$/, "streamed"],
  [
    /^\/api\/content-webhook$/,
    {
      maxBytes: 1_048_576,
      requiredHeader: {
        name: "x-hub-signature-256",
        status: 401,
        message: "The X-Hub-Signature-256 header is missing.",
      },
    },
  ],
  [
    /^\/api\/newsletter-events$/,
    {
      maxBytes: 1_048_576,
      requiredHeader: {
        name: "authorization",
        status: 401,
        message: "The Authorization header is missing.",
        headers: NEWSLETTER_CHALLENGE,
      },
    },
  ],
  [
    /^\/internal\/cache$/,
    {
      maxBytes: 65_536,
      requiredHeader: { name: "x-lectern-internal", status: 404, message: "Not found." },
    },
  ],
];

/**
 * Several times the size of the longest form. React decodes a malicious body of this size in up to
 * 80 ms, and one of 1 MB in 1.2 s, before an action can check who sent it.
 */
const ACTION_LIMIT: BodyLimit = { maxBytes: 65_536 };
/** For forms with a transcript. 1 MB is Next's own limit (serverActions.bodySizeLimit). */
const TRANSCRIPT_LIMIT: BodyLimit = { ...ACTION_LIMIT, adminMaxBytes: 1_048_576 };
const TRANSCRIPT_PATH = /^\/admin\/calls\/[^/]+$/;

/** Returns whether Next handles a request with this limit as a server action. */
export const isActionLimit = (limit: BodyLimit): boolean =>
  limit === ACTION_LIMIT || limit === TRANSCRIPT_LIMIT;

/** Returns the body limit of a request. */
export function findBodyLimit(
  { method, url }: { readonly method: string; readonly url: string },
  headers: IncomingHttpHeaders,
): BodyLimit {
  const path = url.split("?", 1)[0]!;
  const route = ROUTES.find(([pattern]) => pattern.test(path));
  if (route) return route[1];
  const isAction =
    method === "POST" &&
    (headers["next-action"] !== undefined ||
      headers["content-type"]?.includes("multipart/form-data"));
  if (!isAction) return "unread";
  return TRANSCRIPT_PATH.test(path) ? TRANSCRIPT_LIMIT : ACTION_LIMIT;
}

export function hasBody(headers: IncomingHttpHeaders): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}
