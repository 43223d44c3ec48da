"use server";
// What an admin decides about what was not delivered.

import { redirect } from "next/navigation";
import { z } from "zod";
import { formAction } from "#lib/action/form-action.ts";
import { kickDeliveries } from "#lib/outbox/outbox.ts";
import { giveDeliveryUp, tryDeliveryAgain } from "#lib/outbox/waiting.ts";

const number = { error: "This is no delivery." };
const fields = z.object({ id: z.coerce.number(number).int(number).min(1, number) });

export const tryAgain = formAction({
  who: "admin",
  fields,
  async run({ input, write }) {
    await write((sql, admin) => tryDeliveryAgain(sql, admin, input.id));
    kickDeliveries();
    redirect("/admin/deliveries?said=trying");
  },
});

export const giveUp = formAction({
  who: "admin",
  fields,
  async run({ input, write }) {
    await write((sql, admin) => giveDeliveryUp(sql, admin, input.id));
    redirect("/admin/deliveries?said=given-up");
  },
});
