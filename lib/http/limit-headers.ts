// Limits the length of headers before Next or the site parses them; Node limits only their total
// length (16 kB). Refuses repeated Host headers.

import { rawHeader } from "./forwarding-headers.ts";
import type { PipelineContext } from "./pipeline-context.ts";
import { refuseRequest } from "./refuse-request.ts";

/**
 * Next matches User-Agent in quadratic time, several times per request: 16 kB blocks the process
 * for 1 to 6 s. Real browsers send up to 300 characters.
 */
const MAX_USER_AGENT_LENGTH = 512;
/** Several times as long as the headers of browsers and proxies. */
const MAX_HEADER_LENGTH = 4_096;
/**
 * A boundary has at most 70 characters (RFC 2046, 5.1.1). The body of a form is searched for it in
 * quadratic time: with one of 3,900, a form of 900 kB blocks the process for 1.5 s.
 */
const MAX_CONTENT_TYPE_LENGTH = 200;
/**
 * Headers that Next, its libraries or the site parse. Cookie may be longer, because other sites of
 * the domain also set cookies, and it is parsed in linear time.
 */
const PARSED_HEADER =
  /^(accept|cache-control|content-|fly-|forwarded$|host$|if-|last-event-id$|next-|origin$|purpose$|range$|referer$|rsc$|sec-|x-(action|forwarded|github|hub|lectern|middleware|nextjs)-)/;

const maxLength = (name: string) =>
  name === "content-type" ? MAX_CONTENT_TYPE_LENGTH : MAX_HEADER_LENGTH;

/**
 * Pipeline step. Truncates User-Agent, and refuses other overlong parsed headers with 431. Refuses
 * repeated Host headers with 400 (RFC 9112, 3.2); Node would use the first.
 */
export function limitHeaders(context: PipelineContext): void {
  const { headers } = context.request;
  if (rawHeader(context.request, "host")?.includes(","))
    return refuseRequest(context, 400, "Send one Host header.");
  const userAgent = headers["user-agent"];
  if (userAgent && userAgent.length > MAX_USER_AGENT_LENGTH)
    headers["user-agent"] = userAgent.slice(0, MAX_USER_AGENT_LENGTH);
  for (const [name, value] of Object.entries(headers))
    if (value && value.length > maxLength(name) && PARSED_HEADER.test(name))
      return refuseRequest(context, 431, `The ${name} header is too long.`);
}
