// POST /calls/upload: begins an upload, or finds out how far it came.

import { z } from "zod";
import { answer } from "#lib/action/answer.ts";
import { memberOf, writeAs } from "#lib/action/write-as.ts";
import { AppError } from "#lib/base/errors.ts";
import { id } from "#lib/base/fields.ts";
import { readBody } from "#lib/base/read-body.ts";
import { ANSWER_LIMITS, assertAudioSize } from "#lib/calls/audio.ts";
import { beginUpload } from "#lib/calls/upload.ts";
import { snapshotSql } from "#lib/db/database.ts";
import { ensurePrimary } from "#lib/primary/ensure-primary.ts";
import { assertSameOrigin } from "#lib/session/same-origin.ts";
import { readIdentity } from "#lib/session/session.ts";
import { stateResponse } from "./state-response.ts";

export const dynamic = "force-dynamic";

const MAX_BODY_BYTES = 1_024;

const Announced = z.strictObject(
  {
    id: id(),
    size: z
      .int({ error: "size must be a whole number of bytes." })
      .min(1, { error: "The recording is empty. Record it again." }),
    sha256: z
      .string({ error: "sha256 is missing." })
      .regex(/^[0-9a-f]{64}$/, {
        error: "sha256 must be the hash of the whole recording in 64 hex digits.",
      }),
  },
  { error: "The body must be {id, size, sha256}." },
);

function parse(bytes: Uint8Array) {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new AppError("invalid", "The body is not JSON.", { field: "body" });
  }
  const parsed = Announced.safeParse(json);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new AppError("invalid", issue!.message, { field: String(issue!.path[0] ?? "body") });
}

export function POST(request: Request): Promise<Response> {
  return answer(request, async () => {
    assertSameOrigin(request);
    await ensurePrimary();
    const identity = await readIdentity();
    await snapshotSql((sql) => memberOf(sql, identity, "member"));
    const announced = parse(await readBody(request, { maxBytes: MAX_BODY_BYTES }));
    // Before the door: more than anybody may send.
    assertAudioSize(announced.size, ANSWER_LIMITS);
    return stateResponse(
      await writeAs(identity, { who: "member" }, (sql, member) =>
        beginUpload(sql, { ...announced, member }),
      ),
    );
  });
}
