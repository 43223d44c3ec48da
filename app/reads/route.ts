// POST /reads: the beacon of a page that was read to its end.

import { countRead } from "./count-read.ts";

export function POST(request: Request): Promise<Response> {
  return countRead(request);
}
