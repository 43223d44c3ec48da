// Computes the identity of a podcast that stays with it when its feed moves.

import { createHash } from "node:crypto";

const NAMESPACE = Buffer.from("ead4c236bf5858c6a2c6a6b28d128cb6", "hex");

/**
 * Returns the UUIDv5 of a feed's URL, without its scheme and trailing slashes, in the podcast
 * namespace: podcasting2.org/docs/podcast-namespace/tags/guid.
 */
export function podcastGuid(feedUrl: string): string {
  const name = feedUrl.replace(/^\w+:\/\//, "").replace(/\/+$/, "");
  const bytes = createHash("sha1").update(NAMESPACE).update(name).digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
