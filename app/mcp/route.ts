// Serves the Model Context Protocol, with which programs search and read the posts. Stateless, so
// that any instance can respond.

import { createMcpHandler } from "@modelcontextprotocol/server";
import { AppError } from "#lib/core/errors.ts";
import { log } from "#lib/core/log.ts";
import { MCP_MAX_BYTES } from "#lib/http/body-limits.ts";
import { withErrorResponse } from "#lib/http/error-response.ts";
import { readBody } from "#lib/http/read-body.ts";
import { createPostServer } from "#lib/search/mcp-server.ts";

export const dynamic = "force-dynamic";

const handler = createMcpHandler(createPostServer, {
  responseMode: "json",
  // The posts are public and have no events to subscribe to.
  maxSubscriptions: 0,
  onerror: (error) => log("warn", "mcp.request_refused", { reason: error.message }),
});

/** Allows any origin, because everything here is public. */
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-headers": "content-type, mcp-protocol-version, mcp-session-id",
  "access-control-allow-methods": "POST",
} as const;

function withCors(response: Response): Response {
  for (const [name, value] of Object.entries(CORS)) response.headers.set(name, value);
  response.headers.set("cache-control", "no-store");
  return response;
}

export async function POST(request: Request): Promise<Response> {
  const response = await withErrorResponse(request, async () => {
    const body = Buffer.from(await readBody(request, { maxBytes: MCP_MAX_BYTES })).toString();
    let parsedBody: unknown;
    try {
      parsedBody = JSON.parse(body);
    } catch {
      throw new AppError("invalid", "The body must be a JSON-RPC request.");
    }
    // A batch would be many searches in one request. The protocol dropped batches in 2025-06-18.
    if (Array.isArray(parsedBody))
      throw new AppError("invalid", "Batches are not supported. Send one request at a time.");
    return handler.fetch(request, { parsedBody });
  });
  return withCors(response);
}

export function OPTIONS(): Response {
  return withCors(new Response(null, { status: 204, headers: { allow: "POST, OPTIONS" } }));
}
