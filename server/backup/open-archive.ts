// Opens the configured backup.

import { env } from "#lib/core/env.ts";
import type { Archive } from "./archive.ts";
import { openObjectStore } from "./object-store.ts";
import { createSealer } from "./sealed-object.ts";

/**
 * Throws Error if BACKUP_BUCKET is unset. `attempts` is the maximum number of attempts per request.
 */
export function openArchive({ attempts }: { attempts?: number } = {}): Archive {
  const { BACKUP_BUCKET, BACKUP_KEY, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION } = env;
  if (!BACKUP_BUCKET || !BACKUP_KEY || !AWS_ACCESS_KEY_ID || !AWS_SECRET_ACCESS_KEY)
    throw new Error(
      "No object store is configured. Set BACKUP_BUCKET, BACKUP_KEY, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (.env.example).",
    );
  return {
    store: openObjectStore({
      endpoint: env.AWS_ENDPOINT_URL_S3 ?? `https://s3.${AWS_REGION}.amazonaws.com`,
      region: AWS_REGION,
      accessKeyId: AWS_ACCESS_KEY_ID,
      secretAccessKey: AWS_SECRET_ACCESS_KEY,
      bucket: BACKUP_BUCKET,
      ...(attempts !== undefined && { attempts }),
    }),
    sealer: createSealer(BACKUP_KEY),
  };
}
