// Takes a body and forgets it: the floor for a part of an upload. Part of bench builds only.

import { readBody } from "#lib/http/read-body.ts";

export async function PUT(request: Request): Promise<Response> {
  const { byteLength } = await readBody(request, { maxBytes: 524_288 });
  return new Response(null, { status: 204, headers: { "x-bytes": String(byteLength) } });
}
