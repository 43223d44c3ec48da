"use server";
// Defines the server actions that retry or cancel a delivery.

import { redirect } from "next/navigation";
import { z } from "zod";
import { setNotice } from "#lib/http/notice-cookie.ts";
import { defineServerAction } from "#lib/members/server-action.ts";
import { triggerDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { discardDelivery, retryPendingDelivery } from "#lib/outbound/outbox/manage-deliveries.ts";

const numberOptions = { error: "This delivery doesn’t exist." };
const fields = z.object({
  id: z.coerce.number(numberOptions).int(numberOptions).min(1, numberOptions),
});

export const retryDeliveryAction = defineServerAction({
  requiredRole: "admin",
  fields,
  async run({ input, write }) {
    await write((tx, admin) => retryPendingDelivery(tx, admin.id, input.id));
    triggerDeliveries();
    await setNotice("delivery-retrying");
    redirect("/admin/deliveries");
  },
});

export const abandonDeliveryAction = defineServerAction({
  requiredRole: "admin",
  fields,
  async run({ input, write }) {
    await write((tx, admin) => discardDelivery(tx, admin.id, input.id));
    await setNotice("delivery-canceled");
    redirect("/admin/deliveries");
  },
});
