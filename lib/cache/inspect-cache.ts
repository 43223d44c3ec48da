// What an admin sees of the local cache: keys, sizes and ages, and of a value its shape, not what it says.

import { nowMs } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { type Member, assertAdmin } from "#lib/core/member.ts";
import { deleteCacheKey } from "./define-cache.ts";
import { type EntryInfo, cacheDatabase, findEntries, readEntry } from "./cache-file.ts";

export interface InspectedEntry {
  /** As it is, for asking and deleting. */
  readonly key: string;
  /** For showing: addresses are left out. */
  readonly label: string;
  readonly bytes: number;
  readonly ageMs: number;
  /** How long it is still fresh; negative: for how long it has not been. null: for ever. */
  readonly remainingTtlMs: number | null;
  /** How long it may still be given while a new one is made; null: for ever. */
  readonly remainingStaleMs: number | null;
}

export const MAX_ENTRIES_SHOWN = 100;
/** A value is shown in at most so many lines, its strings in so many characters. */
const MAX_LINES = 200;
const MAX_TEXT_LENGTH = 32;
const MAX_DEPTH = 6;
const MAX_ITEMS = 5;

const EMAIL_ADDRESS = /[^\s@/:?&=<>"]+@[^\s@/:?&=<>"]+/g;
/** What may be a secret: twenty and more letters and digits in a row, or anything after the "?" of a link. */
const POSSIBLE_SECRET = /[A-Za-z0-9_\-+=]{20,}/;

/** `text` without addresses and without what stands in a link's query or before its host. */
export function redactSecrets(text: string): string {
  return text
    .replace(/\/\/[^\s/@]+@/g, "//…@")
    .replace(/\?[^\s"]+/g, "?…")
    .replace(EMAIL_ADDRESS, "(address)");
}

function toInspectedEntry({ key, bytes, metadata }: EntryInfo): InspectedEntry {
  const ageMs = nowMs() - metadata.createdTime;
  const freshMs = metadata.ttl == null ? null : metadata.ttl - ageMs;
  return {
    key,
    label: redactSecrets(key),
    bytes,
    ageMs,
    remainingTtlMs: freshMs,
    remainingStaleMs:
      freshMs === null || metadata.swr === null ? null : freshMs + (metadata.swr ?? 0),
  };
}

/** All entries in number and bytes. Throws AppError(forbidden) for all but admins. */
export function measureCache(admin: Member): { entries: number; bytes: number } {
  assertAdmin(admin);
  return cacheDatabase()
    .prepare(`SELECT COUNT(*) AS entries, COALESCE(SUM(bytes), 0) AS bytes FROM cache`)
    .get() as { entries: number; bytes: number };
}

/** Entries whose key contains `text` as it stands, by key; `more` when there are more than a hundred. Throws AppError(forbidden) for all but admins. */
export function searchCache(
  admin: Member,
  text: string,
): { entries: InspectedEntry[]; more: boolean } {
  assertAdmin(admin);
  const found = findEntries(text, MAX_ENTRIES_SHOWN + 1);
  return {
    entries: found.slice(0, MAX_ENTRIES_SHOWN).map(toInspectedEntry),
    more: found.length > MAX_ENTRIES_SHOWN,
  };
}

/** The entry with this key and the outline of its value, a line each; null when there is none. Throws AppError(forbidden) for all but admins. */
export function inspectEntry(
  admin: Member,
  key: string,
): (InspectedEntry & { readonly outline: readonly string[] }) | null {
  assertAdmin(admin);
  const row = readEntry(key);
  if (!row) return null;
  const info = toInspectedEntry({
    key,
    bytes: key.length + row.metadata.length + row.value.length,
    metadata: JSON.parse(row.metadata) as EntryInfo["metadata"],
  });
  return { ...info, outline: outlineJson(row.value) };
}

/** Deletes the entry from memory and file: it is made again when somebody asks. Throws AppError: forbidden for all but admins, not_found. */
export function deleteInspectedEntry(admin: Member, key: string): void {
  assertAdmin(admin);
  if (!deleteCacheKey(key))
    throw new AppError("not_found", "This entry is gone already.", { field: "key" });
}

/** The shape of a JSON text: names of fields, kinds of values, beginnings of texts. */
export function outlineJson(json: string): string[] {
  const lines: string[] = [];
  let left = 0;
  const say = (depth: number, text: string) => {
    if (lines.length < MAX_LINES) lines.push("  ".repeat(depth) + text);
    else left += 1;
  };
  const visit = (name: string, value: unknown, depth: number): void => {
    const isList = Array.isArray(value);
    if (typeof value !== "object" || value === null) return say(depth, name + describeValue(value));
    const entries = isList
      ? value.slice(0, MAX_ITEMS).map((item, i) => [String(i), item] as const)
      : Object.entries(value);
    const count = isList ? value.length : entries.length;
    say(depth, `${name}${isList ? "list" : "object"} of ${count}`);
    if (depth >= MAX_DEPTH) return;
    for (const [key, item] of entries)
      visit(`${redactSecrets(key).slice(0, MAX_TEXT_LENGTH)}: `, item, depth + 1);
    if (isList && value.length > MAX_ITEMS)
      say(depth + 1, `… and ${value.length - MAX_ITEMS} more`);
  };
  try {
    visit("", JSON.parse(json), 0);
  } catch {
    return ["Not readable: it is made again when somebody asks."];
  }
  if (left > 0) lines.push(`… and ${left} more lines`);
  return lines;
}

function describeValue(value: unknown): string {
  if (typeof value !== "string")
    return value === null
      ? "null"
      : typeof value === "number" || typeof value === "boolean"
        ? String(value)
        : typeof value;
  const size = `${value.length} ${value.length === 1 ? "character" : "characters"}`;
  const start = redactSecrets(value.slice(0, 500)).replace(/\s+/g, " ").slice(0, MAX_TEXT_LENGTH);
  // A text that may be a token, whole or cut, is only counted.
  return POSSIBLE_SECRET.test(start) || POSSIBLE_SECRET.test(value.slice(0, MAX_TEXT_LENGTH + 20))
    ? `text of ${size}`
    : `“${start}${value.length > MAX_TEXT_LENGTH ? "…" : ""}” (${size})`;
}
