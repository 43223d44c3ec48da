"use server";
// Deletes what can be made again.

import { redirect } from "next/navigation";
import { z } from "zod";
import { hrefOf } from "../query.ts";
import { chooseInstance } from "./instances.ts";
import { formAction } from "#lib/action/form-action.ts";
import { dropEntry, withoutSecrets } from "#lib/cache/inspect.ts";
import { recordAudit } from "#lib/db/audit.ts";

const text = (max: number, error: string) => z.string({ error }).max(max, { error });

export const deleteOne = formAction({
  who: "admin",
  fields: z.object({ key: text(10_000, "There is no such entry.").min(1, { error: "There is no such entry." }), q: text(200, "This search is too long.").default(""), instance: text(200, "There is no such instance.") }),
  async run({ input, member, write }) {
    const { name } = chooseInstance(input.instance);
    dropEntry(member, input.key);
    await write((sql, admin) => recordAudit(sql, { actorId: admin.id, action: "cache.delete", subjectId: withoutSecrets(input.key).slice(0, 300), detail: { instance: name } }));
    redirect(hrefOf("/admin/cache", { q: input.q, said: "deleted" }));
  },
});
