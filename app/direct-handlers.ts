// Lets the pipeline answer what needs no page, without Next.

import { provideDirectHandlers } from "#lib/http/direct-handlers.ts";
import { reportAlive } from "./healthz/report-alive.ts";
import { countRead } from "./reads/count-read.ts";
import { countStart } from "./reads/start/count-start.ts";
import { issueToken } from "./reads/token/issue-token.ts";

export function startDirectHandlers(): void {
  provideDirectHandlers({
    "GET /healthz": reportAlive,
    "POST /reads": countRead,
    "POST /reads/start": countStart,
    "GET /reads/token": issueToken,
  });
}
