// What the signature of a call that deletes a cache entry is about; the same text on both sides.

export const deleteEntryPayload = (instance: string, key: string) =>
  `cache.delete\0${instance}\0${key}`;
