import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { submitCall } from "#app/calls/record/actions.ts";
import { read } from "#lib/db/database.ts";
import { INITIAL_FORM_STATE } from "#lib/http/form-state.ts";
import { signConfirmationToken } from "#lib/members/subscription-token.ts";
import { logInMember } from "#tests/support/log-in-member.ts";
import { currentRequest } from "#tests/support/next-headers.ts";
import { overrideSiteConfig } from "#tests/support/override-site-config.ts";
import { confirmSubscription, requestSubscription } from "./actions.ts";

vi.mock("next/headers", () => import("#tests/support/next-headers.ts"));

beforeEach(() => {
  currentRequest.headers = { host: "localhost:3000", "sec-fetch-site": "same-origin" };
});
afterEach(() => overrideSiteConfig());

const formOf = (fields: Record<string, string>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
};

test("actions of features that are off are refused, because they can be posted to any page", async () => {
  overrideSiteConfig({ features: { newsletter: false, calls: false } });
  currentRequest.cookie = (await logInMember()).cookie;
  const email = "stranger@example.com";
  const call = {
    id: randomUUID(),
    title: "A question",
    description: "What does a lectern do all day?",
    keywords: "lecterns",
  };
  for (const [action, fields] of [
    [requestSubscription, { email }],
    [confirmSubscription, { token: signConfirmationToken(email) }],
    [submitCall, call],
  ] as const)
    expect(await action(INITIAL_FORM_STATE, formOf(fields))).toMatchObject({
      status: "refused",
      code: "not_found",
    });
  expect(await read((tx) => tx.delivery.count({ where: { payload: { contains: email } } }))).toBe(
    0,
  );
  expect(await read((tx) => tx.call.count({ where: { id: call.id } }))).toBe(0);
});
