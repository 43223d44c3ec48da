// Reads and validates a small JSON body.

import type { z } from "zod";
import { AppError } from "#lib/core/errors.ts";
import type { DirectRequest } from "./direct-request.ts";
import { readBody } from "./read-body.ts";

interface ReadJsonOptions {
  readonly maxBytes?: number;
  /**
   * Default: application/json. sendBeacon() sends strings as text/plain, which needs no CORS
   * preflight.
   */
  readonly contentTypes?: readonly string[];
}

/**
 * Returns the body parsed by `schema`. Throws AppError(invalid) for another content type, malformed
 * UTF-8 or JSON, or a schema mismatch (with the field's path), and AppError(too_large) beyond
 * `maxBytes`.
 */
export async function readJson<Schema extends z.ZodType>(
  request: Request | Pick<DirectRequest, "headers" | "readBody">,
  schema: Schema,
  { maxBytes = 20_000, contentTypes = ["application/json"] }: ReadJsonOptions = {},
): Promise<z.output<Schema>> {
  const type = (request.headers.get("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
  if (!contentTypes.includes(type))
    throw new AppError("invalid", `The body must be ${contentTypes.join(" or ")}.`);
  const body = await (request instanceof Request
    ? readBody(request, { maxBytes })
    : request.readBody(maxBytes));
  const parsed = schema.safeParse(parseUtf8Json(body));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") || undefined;
  throw new AppError(
    "invalid",
    `${field ? `${field}: ` : ""}${issue?.message.slice(0, 200) ?? "The body does not match the schema."}`,
    { field },
  );
}

function parseUtf8Json(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new AppError("invalid", "The body is not UTF-8.", { cause: error });
  }
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AppError("invalid", "The body is not JSON.", { cause: error });
  }
}
