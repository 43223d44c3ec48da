// Defines the field of admin forms that names a post.

import { z } from "zod";

export const postSlugField = z
  .string({ error: "Choose a post." })
  .min(1, { error: "Choose a post." })
  .max(300, { error: "This post doesn’t exist." });
