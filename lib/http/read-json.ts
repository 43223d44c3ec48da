// The JSON that a script of ours sends to a handler: small, and of the form that was asked for.

import type { z } from "zod";
import { AppError } from "#lib/core/errors.ts";
import { readBody } from "./read-body.ts";

const MAX_BYTES = 20_000;

/** The body as `schema` gives it back. Throws AppError: invalid for anything but JSON of that form, too_large beyond 20 kB. */
export async function readJson<Schema extends z.ZodType>(
  request: Request,
  schema: Schema,
): Promise<z.output<Schema>> {
  const type = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/json")
    throw new AppError("invalid", "The body must be application/json.");
  const bytes = await readBody(request, { maxBytes: MAX_BYTES });
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new AppError("invalid", "The body is not JSON.", { cause: error });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const field = issue?.path.join(".") || undefined;
  throw new AppError(
    "invalid",
    `${field ? `${field}: ` : ""}${issue?.message.slice(0, 200) ?? "The body is not right."}`,
    { field },
  );
}
