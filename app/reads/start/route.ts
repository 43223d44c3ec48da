// POST /reads/start, for what the pipeline leaves to Next (app/direct-handlers.ts).

import { toRouteHandler } from "#lib/http/direct-handlers.ts";
import { countStart } from "./count-start.ts";

export const POST = toRouteHandler(countStart);
