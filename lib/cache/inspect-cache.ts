// Shows admins the local cache: keys, sizes, ages and the shape of values, with secrets redacted.
// Callers check the role.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { pluralize } from "#lib/core/format.ts";
import { deleteCacheKey } from "./define-cache.ts";
import { type EntryInfo, findEntries, readEntry } from "./cache-file.ts";

export interface InspectedEntry {
  readonly key: string;
  /** The key for display, without email addresses and URL queries. */
  readonly label: string;
  readonly bytes: number;
  readonly ageMs: number;
  /** Negative once stale; null if it never becomes stale. */
  readonly remainingTtlMs: number | null;
  /** Remaining stale-while-revalidate time; null if unlimited. */
  readonly remainingStaleMs: number | null;
}

export const MAX_ENTRIES_SHOWN = 100;
const MAX_LINES = 200;
const MAX_TEXT_LENGTH = 32;
const MAX_DEPTH = 6;
const MAX_ITEMS = 5;

const EMAIL_ADDRESS = /[^\s@/:?&=<>"]+@[^\s@/:?&=<>"]+/g;
/** At least twenty token characters in a row. */
const POSSIBLE_SECRET = /[A-Za-z0-9_\-+=]{20,}/;

/** Removes email addresses, and the credentials and queries of URLs. */
export function redactSecrets(text: string): string {
  return text
    .replace(/\/\/[^\s/@]+@/g, "//…@")
    .replace(/\?[^\s"]+/g, "?…")
    .replace(EMAIL_ADDRESS, "(address)");
}

function toInspectedEntry({ key, bytes, metadata }: EntryInfo): InspectedEntry {
  const ageMs = nowMs() - metadata.createdTime;
  const remainingTtlMs = metadata.ttl == null ? null : metadata.ttl - ageMs;
  return {
    key,
    label: redactSecrets(key),
    bytes,
    ageMs,
    remainingTtlMs,
    remainingStaleMs:
      remainingTtlMs === null || metadata.swr === null
        ? null
        : remainingTtlMs + (metadata.swr ?? 0),
  };
}

/** Returns at most MAX_ENTRIES_SHOWN entries whose key contains `text`, ordered by key. */
export function searchCache(text: string): { entries: InspectedEntry[]; hasMore: boolean } {
  const entries = findEntries(text, MAX_ENTRIES_SHOWN + 1);
  return {
    entries: entries.slice(0, MAX_ENTRIES_SHOWN).map(toInspectedEntry),
    hasMore: entries.length > MAX_ENTRIES_SHOWN,
  };
}

/** Returns an entry with the outline of its value, or null if there is no such entry. */
export function inspectEntry(
  key: string,
): (InspectedEntry & { readonly outline: readonly string[] }) | null {
  const row = readEntry(key);
  if (!row) return null;
  const entry = toInspectedEntry({
    key,
    bytes: key.length + row.metadata.length + row.value.length,
    metadata: JSON.parse(row.metadata) as EntryInfo["metadata"],
  });
  return { ...entry, outline: outlineJson(row.value) };
}

/** Deletes an entry from memory and file. Throws AppError(not_found) if it doesn't exist. */
export function deleteInspectedEntry(key: string): void {
  if (!deleteCacheKey(key))
    throw new AppError("not_found", "This entry is already gone.", { field: "key" });
}

/** Returns the text that a peer signs to request the deletion of an entry. */
export const deleteEntryPayload = (instance: string, key: string): string =>
  `cache.delete\0${instance}\0${key}`;

/**
 * Returns the outline of a JSON text, one line per value: field names, types, and the start of each
 * string.
 */
export function outlineJson(json: string): string[] {
  const lines: string[] = [];
  let omittedCount = 0;
  const addLine = (depth: number, text: string) => {
    if (lines.length < MAX_LINES) lines.push("  ".repeat(depth) + text);
    else omittedCount += 1;
  };
  const visit = (name: string, value: unknown, depth: number): void => {
    const isList = Array.isArray(value);
    if (typeof value !== "object" || value === null)
      return addLine(depth, name + describeValue(value));
    const entries = isList
      ? value.slice(0, MAX_ITEMS).map((item, i) => [String(i), item] as const)
      : Object.entries(value);
    const count = isList ? value.length : entries.length;
    addLine(depth, `${name}${isList ? "list" : "object"} of ${count}`);
    if (depth >= MAX_DEPTH) return;
    for (const [key, item] of entries)
      visit(`${redactSecrets(key).slice(0, MAX_TEXT_LENGTH)}: `, item, depth + 1);
    if (isList && value.length > MAX_ITEMS)
      addLine(depth + 1, `… and ${value.length - MAX_ITEMS} more`);
  };
  try {
    visit("", JSON.parse(json), 0);
  } catch {
    return ["Unreadable. The next request replaces it."];
  }
  if (omittedCount > 0) lines.push(`… and ${omittedCount} more lines`);
  return lines;
}

function describeValue(value: unknown): string {
  if (value === null || typeof value === "number" || typeof value === "boolean")
    return String(value);
  if (typeof value !== "string") return typeof value;
  const size = pluralize(value.length, "character");
  const start = redactSecrets(value.slice(0, 500)).replace(/\s+/g, " ").slice(0, MAX_TEXT_LENGTH);
  // For a possible token, even a truncated one, show only the length.
  return POSSIBLE_SECRET.test(start) || POSSIBLE_SECRET.test(value.slice(0, MAX_TEXT_LENGTH + 20))
    ? `text of ${size}`
    : `“${start}${value.length > MAX_TEXT_LENGTH ? "…" : ""}” (${size})`;
}
