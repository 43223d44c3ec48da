// GET /reads/token, for what the pipeline leaves to Next (app/direct-handlers.ts).

import { toRouteHandler } from "#lib/http/direct-handlers.ts";
import { issueToken } from "./issue-token.ts";

export const GET = toRouteHandler(issueToken);
