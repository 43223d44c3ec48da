// Verifies a Git host's push webhook: its HMAC signature, repository and branch.

import { createHmac, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import { AppError } from "#lib/core/errors.ts";

/** Fly's proxy can replay about 1 MB to the primary. A push event is a few kB. */
export const MAX_WEBHOOK_BYTES = 1_048_576;

export interface WebhookConfig {
  /** More than one during a rotation. */
  readonly secrets: readonly string[];
  /** 'owner/name'. */
  readonly repository: string;
  readonly branch: string;
}

export type WebhookEvent =
  /** `version` is now the head of the branch. */
  | { readonly kind: "push"; readonly version: string }
  | { readonly kind: "ping" }
  /** Authentic, and nothing to do. */
  | { readonly kind: "ignored"; readonly reason: string };

const pushSchema = z.object({
  ref: z.string(),
  after: z.string().regex(/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/),
  deleted: z.boolean().optional(),
  repository: z.object({ full_name: z.string() }),
});

/**
 * Returns the event of an authentic webhook. Throws AppError: too_large, unauthorized (missing or
 * wrong signature), invalid (authentic, but not a push event as GitHub documents it).
 */
export function verifyWebhook(
  headers: Headers,
  body: Uint8Array,
  { secrets, repository, branch }: WebhookConfig,
): WebhookEvent {
  if (body.byteLength > MAX_WEBHOOK_BYTES)
    throw new AppError("too_large", `The body is larger than ${MAX_WEBHOOK_BYTES} bytes.`);
  const signature = headers.get("x-hub-signature-256");
  if (!secrets.some((secret) => hasValidSignature(signature, body, secret))) {
    throw new AppError(
      "unauthorized",
      "The X-Hub-Signature-256 header is missing, or does not match this site's secret.",
    );
  }
  const event = headers.get("x-github-event");
  if (event === "ping") return { kind: "ping" };
  if (event !== "push")
    return {
      kind: "ignored",
      reason: `Only push events are used; this is ${event ? event.slice(0, 60) : "none"}.`,
    };
  if (!/^application\/json\b/i.test(headers.get("content-type") ?? ""))
    throw new AppError(
      "invalid",
      "The body must be JSON: set the webhook's content type to application/json.",
    );
  let data: unknown;
  try {
    data = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    throw new AppError("invalid", "The body is not JSON.");
  }
  const parsed = pushSchema.safeParse(data);
  if (!parsed.success)
    throw new AppError(
      "invalid",
      `The body is not a push event: ${parsed.error.issues[0]!.path.join(".") || "it"} is wrong.`,
    );
  const { ref, after, deleted, repository: from } = parsed.data;
  if (from.full_name.toLowerCase() !== repository.toLowerCase())
    return { kind: "ignored", reason: "The push is to another repository." };
  if (ref !== `refs/heads/${branch}`)
    return { kind: "ignored", reason: "The push is to another branch." };
  if (deleted || /^0+$/.test(after))
    return { kind: "ignored", reason: "The branch was deleted; its last version stays published." };
  return { kind: "push", version: after };
}

function hasValidSignature(header: string | null, body: Uint8Array, secret: string): boolean {
  const match = /^sha256=([0-9a-f]{64})$/i.exec(header ?? "");
  if (!match) return false;
  const expected = createHmac("sha256", secret).update(body).digest();
  return timingSafeEqual(expected, Buffer.from(match[1]!, "hex"));
}
