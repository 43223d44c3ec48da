// GET /healthz, for what the pipeline leaves to Next (app/direct-handlers.ts).

import { toRouteHandler } from "#lib/http/direct-handlers.ts";
import { reportAlive } from "./report-alive.ts";

export const GET = toRouteHandler(reportAlive);
