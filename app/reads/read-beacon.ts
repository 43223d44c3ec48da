// What a beacon must look like: read within bounds, checked before anything else is done with it.

import { z } from "zod";
import { AppError } from "#lib/core/errors.ts";
import { readBody } from "#lib/http/read-body.ts";
import { MAX_DWELL_TOKEN_LENGTH } from "#lib/reading/dwell-token.ts";

const MAX_BYTES = 2_048;

const Beacon = z.strictObject({
  token: z.string().min(1).max(MAX_DWELL_TOKEN_LENGTH),
  slug: z.string().min(1).max(200),
});

/** The body as text. Throws AppError: invalid for the wrong type, broken UTF-8 or one that takes too long, too_large beyond 2 kB, whatever its header says. */
async function readText(request: Request): Promise<string> {
  // sendBeacon sends a string as text/plain; nothing else can be asked of it without a preflight.
  const type = (request.headers.get("content-type") ?? "").split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "text/plain" && type !== "application/json")
    throw new AppError("invalid", "The body must be text/plain or application/json.");
  const bytes = await readBody(request, { maxBytes: MAX_BYTES });
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    throw new AppError("invalid", "The body is not UTF-8.", { cause: error });
  }
}

/** The token and the slug that the request brings. Throws AppError: invalid with what is wrong, or too_large. */
export async function readBeacon(request: Request): Promise<z.output<typeof Beacon>> {
  const text = await readText(request);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new AppError("invalid", "The body is not JSON.", { cause: error });
  }
  const parsed = Beacon.safeParse(json);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const field = issue?.path.join(".") || undefined;
  throw new AppError(
    "invalid",
    `The body must be {"token", "slug"}: ${field ? `${field}: ` : ""}${issue?.message.slice(0, 200)}.`,
    { field },
  );
}
