// POST /reads, when Next serves it instead of the pipeline (app/register-direct-handlers.ts).

import { toRouteHandler } from "#lib/http/direct-handlers.ts";
import { countRead } from "./count-read.ts";

export const POST = toRouteHandler(countRead);
