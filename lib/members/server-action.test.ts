import { redirect } from "next/navigation.js";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { z } from "zod";
import { overrideEnv } from "#tests/support/override-env.ts";
import { logInMember } from "#tests/support/log-in-member.ts";
import { currentRequest } from "#tests/support/next-headers.ts";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { AppError } from "#lib/core/errors.ts";
import { singleLineField } from "#lib/core/validate.ts";
import { read, write } from "#lib/db/database.ts";
import { defineServerAction } from "./server-action.ts";
import { type FormState, INITIAL_FORM_STATE } from "#lib/http/form-state.ts";
import type { RequiredRole } from "./write-authorized.ts";

vi.mock("next/headers", () => import("#tests/support/next-headers.ts"));

const SAME_ORIGIN = { host: "localhost:3000", "sec-fetch-site": "same-origin" };
beforeEach(() => {
  currentRequest.headers = SAME_ORIGIN;
  currentRequest.cookie = "";
});
afterEach(() => overrideEnv({ REPLICATION: undefined }));

/** Logs the following requests in as a new member. */
async function logIn(role = "MEMBER"): Promise<string> {
  const { id, cookie } = await logInMember({ role });
  currentRequest.cookie = cookie;
  return id;
}

const formOf = (fields: Record<string, string | Blob>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
};
const title = z.object({
  title: singleLineField({ label: "The title", minLength: 3, maxLength: 10 }),
});
/** Defines an action that records its calls. */
function action(
  who: RequiredRole,
  more: { recent?: boolean; run?: () => Promise<string | void> } = {},
) {
  const ran = vi.fn();
  const call = defineServerAction({
    requiredRole: who,
    requiresRecentLogin: more.recent,
    fields: title,
    secretFields: ["code"],
    run: async (context) => {
      ran(context.input, context.member?.id ?? null);
      return more.run ? more.run() : "Done.";
    },
  });
  return { ran, call: (form: unknown) => call(INITIAL_FORM_STATE, form as FormData) };
}
const good = () => formOf({ title: "Hello" });

test("a valid form returns the message and clears the fields", async () => {
  const { call, ran } = action("anyone");
  expect(await call(good())).toEqual({
    status: "done",
    message: "Done.",
    code: null,
    errors: {},
    values: {},
  });
  expect(ran).toHaveBeenCalledExactlyOnceWith({ title: "Hello" }, null);
  expect(await action("anyone", { run: async () => {} }).call(good())).toMatchObject({
    status: "done",
    message: null,
  });
});

test.each(["member", "admin"] as const)(
  "an action for a %s is refused without a session, before the fields are parsed",
  async (who) => {
    const { call, ran } = action(who);
    expect(await call(formOf({ title: "" }))).toMatchObject({
      status: "refused",
      code: "unauthorized",
      message: "Log in first.",
      errors: {},
    });
    expect(ran).not.toHaveBeenCalled();
  },
);

test("an admin action is refused for a member", async () => {
  await logIn();
  const { call, ran } = action("admin");
  expect(await call(good())).toMatchObject({ status: "refused", code: "forbidden" });
  expect(ran).not.toHaveBeenCalled();
  const admin = await logIn("ADMIN");
  expect(await call(good())).toMatchObject({ status: "done" });
  expect(ran).toHaveBeenCalledExactlyOnceWith({ title: "Hello" }, admin);
});

test("an expired, deleted or forged session is refused", async () => {
  await logIn();
  const { call, ran } = action("member");
  await write((tx) => tx.session.updateMany({ data: { expirationDate: new Date(nowMs() - 1) } }));
  expect(await call(good())).toMatchObject({ code: "unauthorized" });
  await logIn();
  await write((tx) => tx.session.deleteMany());
  expect(await call(good())).toMatchObject({ code: "unauthorized" });
  currentRequest.cookie = "session=Fe26.2*1*forged";
  expect(await call(good())).toMatchObject({ code: "unauthorized" });
  expect(ran).not.toHaveBeenCalled();
});

test("an action that requires a recent login is refused after fifteen minutes", async () => {
  await logIn();
  const { call, ran } = action("member", { recent: true });
  expect(await call(good())).toMatchObject({ status: "done" });
  setClock(nowMs() + 15 * MINUTE_MS);
  expect(await call(good())).toMatchObject({
    status: "refused",
    code: "unauthorized",
    errors: { login: expect.any(String) as string },
  });
  expect(ran).toHaveBeenCalledTimes(1);
});

test.each([
  ["another site", { host: "localhost:3000", "sec-fetch-site": "cross-site" }],
  ["another site of the same domain", { host: "localhost:3000", "sec-fetch-site": "same-site" }],
  [
    "another origin, in a browser without Sec-Fetch-Site",
    { host: "localhost:3000", origin: "https://evil.test" },
  ],
  ["the origin null", { host: "localhost:3000", origin: "null" }],
  ["a client that sends neither header", { host: "localhost:3000" }],
  [
    "another site with a forged X-Forwarded-Host",
    { host: "localhost:3000", origin: "https://evil.test", "x-forwarded-host": "evil.test" },
  ],
])("a form from %s is refused (CSRF)", async (_, headers) => {
  await logIn("ADMIN");
  currentRequest.headers = headers as Record<string, string>;
  const { call, ran } = action("anyone");
  expect(await call(good())).toMatchObject({ status: "refused", code: "forbidden" });
  expect(ran).not.toHaveBeenCalled();
});

test("without a primary the action is refused before any other check, and the input is kept", async () => {
  overrideEnv({ REPLICATION: "on" });
  currentRequest.headers = { host: "localhost:3000", "sec-fetch-site": "cross-site" };
  expect(await action("admin").call(good())).toMatchObject({
    status: "refused",
    code: "unavailable",
    values: { title: "Hello" },
  });
});

test("invalid fields are named, and the input is kept except for secrets", async () => {
  const { call, ran } = action("anyone");
  const state = await call(
    formOf({ title: "ab", code: "123456", other: "kept", $ACTION_ID_x: "" }),
  );
  expect(state).toEqual({
    status: "refused",
    code: "invalid",
    message: "Please fix the field above.",
    errors: { title: "Use at least 3 characters (you have 2)." },
    values: { title: "ab", other: "kept" },
  } satisfies FormState);
  expect(ran).not.toHaveBeenCalled();
});

test("an AppError is shown at its field, and the input is kept", async () => {
  const refuse = (error: AppError) =>
    action("anyone", { run: () => Promise.reject(error) }).call(good());
  expect(
    await refuse(new AppError("conflict", "There is one already.", { field: "title" })),
  ).toEqual({
    status: "refused",
    code: "conflict",
    message: "There is one already.",
    errors: { title: "There is one already." },
    values: { title: "Hello" },
  });
  expect(await refuse(new AppError("rate_limited", "Later."))).toMatchObject({
    code: "rate_limited",
    errors: {},
  });
});

test("a redirect and an unexpected error pass through", async () => {
  const thrown = (run: () => Promise<void>) =>
    action("anyone", { run })
      .call(good())
      .then(
        () => null,
        (error: unknown) => error,
      );
  expect(await thrown(async () => redirect("/me"))).toMatchObject({
    digest: expect.stringMatching(/^NEXT_REDIRECT;.*;\/me;/),
  });
  const fault = new TypeError("broken");
  expect(await thrown(() => Promise.reject(fault))).toBe(fault);
});

test.each([
  ["nothing", undefined],
  ["null", null],
  ["a text", "title=Hello"],
  ["an object", { title: "Hello" }],
  ["a list", [["title", "Hello"]]],
  [
    "an object that claims to be a form",
    {
      [Symbol.iterator]: () => {
        throw new Error("touched");
      },
    },
  ],
])("a call with %s instead of a form has no fields", async (_, argument) => {
  const { call, ran } = action("anyone");
  expect(await call(argument)).toMatchObject({
    status: "refused",
    code: "invalid",
    errors: { title: "The title is missing." },
    values: {},
  });
  expect(ran).not.toHaveBeenCalled();
});

test("a file in a text field counts as missing", async () => {
  expect(await action("anyone").call(formOf({ title: new Blob(["Hello"]) }))).toMatchObject({
    errors: { title: "The title is missing." },
    values: {},
  });
});

test("a text file is read as its field, and is never sent back", async () => {
  const call = defineServerAction({
    requiredRole: "anyone",
    fileFields: ["words"],
    fields: z.object({ words: z.string().max(10).optional() }),
    run: async ({ input }) => String(input.words),
  });
  const send = (words: string | Blob) => call(INITIAL_FORM_STATE, formOf({ words }));
  expect((await send(new Blob(["\uFEFFHello"]))).message).toBe("Hello");
  expect((await send(new Blob([]))).message).toBe("undefined");
  expect((await send("")).message).toBe("undefined");
  expect(await send(new Blob(["x".repeat(11)]))).toMatchObject({
    code: "invalid",
    errors: { words: expect.any(String) as string },
    values: {},
  });
  expect(await send(new Blob([new Uint8Array([0xc3, 0x28])]))).toMatchObject({
    code: "invalid",
    errors: { words: expect.any(String) as string },
  });
});

test("a huge text is refused and echoed truncated", async () => {
  const began = performance.now();
  const state = await action("anyone").call(formOf({ title: "x".repeat(1_000_000) }));
  expect(state).toMatchObject({
    code: "invalid",
    errors: { title: "Maximum 10 characters." },
  });
  expect(state.values.title).toHaveLength(200_000);
  expect(performance.now() - began).toBeLessThan(5_000);
});

test("names of Object.prototype are ordinary fields", async () => {
  const { call } = action("anyone");
  const form = formOf({ title: "Hello", constructor: "x", toString: "y", hasOwnProperty: "z" });
  form.append("__proto__", "w");
  expect(await call(form)).toMatchObject({ status: "done" });
  const refused = await call(formOf({ title: "", constructor: "x", toString: "y" }));
  expect(Object.entries(refused.values)).toEqual([
    ["title", ""],
    ["constructor", "x"],
    ["toString", "y"],
  ]);
});

test("the role is checked again inside the transaction that writes", async () => {
  const userId = await logIn("ADMIN");
  const wrote = vi.fn();
  const call = defineServerAction({
    requiredRole: "admin",
    fields: z.object({}),
    run: async ({ write }) => {
      // Another admin revokes the role in the meantime.
      await write((tx) => tx.user.updateMany({ where: { id: userId }, data: { role: "MEMBER" } }));
      await write((tx) => {
        wrote();
        return tx.user.updateMany({ data: { firstName: "Eve" } });
      });
    },
  });
  expect(await call(INITIAL_FORM_STATE, new FormData())).toMatchObject({
    status: "refused",
    code: "forbidden",
  });
  expect(wrote).not.toHaveBeenCalled();
  expect(await read((tx) => tx.user.findFirst({ select: { firstName: true } }))).toEqual({
    firstName: "Ada",
  });
});
