// Describes a session's device, so that the member recognizes it.

import Bowser from "bowser";
import { env } from "#lib/core/env.ts";

const MAX_DEVICE_LENGTH = 120;

export interface SessionDevice {
  /** Such as "Firefox on Linux"; at most 120 characters. */
  readonly device: string;
  /** Fly region code; null unless a trusted proxy names one. */
  readonly place: string | null;
}

/** Returns the browser and OS from User-Agent, and the proxy's region if TRUST_PROXY trusts it. */
export function describeDevice({ headers }: { readonly headers: Headers }): SessionDevice {
  const agent = headers.get("user-agent")?.slice(0, 1_000);
  const { browser, os } = agent ? Bowser.parse(agent) : { browser: {}, os: {} };
  const device = [browser.name || "Unknown browser", os.name]
    .filter(Boolean)
    .join(" on ")
    .slice(0, MAX_DEVICE_LENGTH);
  const region = env.TRUST_PROXY === "fly" ? headers.get("fly-region") : null;
  return { device, place: region && /^[a-z]{3}$/.test(region) ? region : null };
}
