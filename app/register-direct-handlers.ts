// Registers the handlers that the HTTP pipeline calls without Next, because they need no page.

import { provideDirectHandlers } from "#lib/http/direct-handlers.ts";
import { reportAlive } from "./healthz/report-alive.ts";
import { countRead } from "./reads/count-read.ts";
import { countStart } from "./reads/start/count-start.ts";
import { issueToken } from "./reads/token/issue-token.ts";

export function registerDirectHandlers(): void {
  provideDirectHandlers({
    "GET /healthz": reportAlive,
    "POST /reads": countRead,
    "POST /reads/start": countStart,
    "GET /reads/token": issueToken,
  });
}
