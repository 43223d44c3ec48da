// Hashes text to a number, for stable pseudorandom choices. Not cryptographic. Also runs in the
// browser.

/** Returns a number from 0 to 2^32 - 1: FNV-1a over UTF-16 code units, then MurmurHash3's finalizer. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  // FNV-1a alone maps similar strings to similar numbers.
  let mixed = hash ^ (hash >>> 16);
  mixed = Math.imul(mixed, 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
