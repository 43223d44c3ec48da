// POST /reads, for what the pipeline leaves to Next (app/direct-handlers.ts).

import { toRouteHandler } from "#lib/http/direct-handlers.ts";
import { countRead } from "./count-read.ts";

export const POST = toRouteHandler(countRead);
