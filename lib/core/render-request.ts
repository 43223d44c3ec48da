// Recognizes this process's own requests for shared pages (lib/http/render-page.ts).

import { randomBytes } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import { singleton } from "./singleton.ts";

export const RENDER_HEADER = "x-lectern-render";

/** Returns the header's value, which no client can know. */
export const renderToken = (): string =>
  singleton("render-token", () => randomBytes(24).toString("base64url"));

/** Returns whether a request with these headers comes from this process. */
export const isRenderRequest = (headers: IncomingHttpHeaders): boolean =>
  headers[RENDER_HEADER] !== undefined && headers[RENDER_HEADER] === renderToken();
