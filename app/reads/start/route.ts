// POST /reads/start, when Next serves it instead of the pipeline (app/register-direct-handlers.ts).

import { toRouteHandler } from "#lib/http/direct-handlers.ts";
import { countStart } from "./count-start.ts";

export const POST = toRouteHandler(countStart);
