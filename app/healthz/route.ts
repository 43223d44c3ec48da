// GET /healthz, when Next serves it instead of the pipeline (app/register-direct-handlers.ts).

import { toRouteHandler } from "#lib/http/direct-handlers.ts";
import { reportAlive } from "./report-alive.ts";

export const GET = toRouteHandler(reportAlive);
