// GET /reads/token, when Next serves it instead of the pipeline (app/register-direct-handlers.ts).

import { toRouteHandler } from "#lib/http/direct-handlers.ts";
import { issueToken } from "./issue-token.ts";

export const GET = toRouteHandler(issueToken);
