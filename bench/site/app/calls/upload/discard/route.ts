// Reads a body and discards it: the baseline for one part of an upload.

import { readBody } from "#lib/http/read-body.ts";

export async function PUT(request: Request): Promise<Response> {
  const { byteLength } = await readBody(request, { maxBytes: 524_288 });
  return new Response(null, { status: 204, headers: { "x-bytes": String(byteLength) } });
}
