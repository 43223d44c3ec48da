"use server";
// Defines the server action that test-compiles a post without caches, to show why it is slow or fails.

import { z } from "zod";
import { postSlugField } from "#app/admin/post-slug-field.ts";
import { compileFresh } from "#lib/posts/catalog/site-catalog.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { AppError } from "#lib/core/errors.ts";

export const compilePost = defineServerAction({
  requiredRole: "admin",
  fields: z.object({
    slug: postSlugField,
  }),
  async run({ input }) {
    const { file, totalMs, stages, warnings, problem } = await compileFresh(input.slug);
    if (problem) throw new AppError("invalid", `${file}:${problem.line}: ${problem.reason}`);
    const timings = stages.map(({ name, ms }) => `${name} ${ms.toFixed(1)}`).join(", ");
    return `${file}: ${totalMs.toFixed(0)} ms (${timings}). ${warnings.length === 0 ? "No warnings." : `Warnings: ${warnings.join("; ")}`}`;
  },
});
