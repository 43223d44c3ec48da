// Liveness, for proxies and for replicas, which ask twice per second. Does not check the database or
// other machines, because a restart would not fix those.

import type { DirectResponse } from "#lib/http/direct-request.ts";

export const reportAlive = async (): Promise<DirectResponse> => ({
  status: 200,
  headers: { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" },
  body: "ok\n",
});
