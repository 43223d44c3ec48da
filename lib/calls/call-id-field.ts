// Defines the field of forms that names a call.

import { z } from "zod";

/** Not a UUID, because IDs from the source site may have another format. */
export const callIdField = z
  .string({ error: "The call is missing." })
  .min(1, { error: "The call is missing." })
  .max(200, { error: "This call doesn’t exist." });
