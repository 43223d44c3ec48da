// What a member recognizes a session by.

import Bowser from "bowser";
import { env } from "#lib/core/env.ts";
import type { SessionDevice } from "./session.ts";

const MAX_DEVICE_LENGTH = 120;

/** "Firefox on Linux", from what the browser says of itself, and the region whose proxy it came through where one is trusted. */
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
