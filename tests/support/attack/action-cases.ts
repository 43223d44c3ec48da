// Every server action by file and name: who may, what works, what it changes. The build decides whether the table is whole.

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { createSql } from "#lib/db/connection.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { startChallenge } from "#lib/members/login-challenge.ts";
import { createSessionHandle } from "#lib/members/sessions.ts";
import { startSignup } from "#lib/members/sign-up.ts";
import { invalidValues } from "./fuzz-values.ts";
import type { Fields } from "./server-action-request.ts";
import type { ActionCase, CaseContext } from "./cases.ts";
import { ATTACK_DIR } from "./attack-server.ts";
import type { CallState, AttackFixture } from "./attack-fixture.ts";

/** The cookie of a log-in or a sign-up under way. */
export const loginFlowCookie = (name: "login" | "signup", browserId: string, next = "/me") =>
  `__Host-${name}=${browserId}.${Buffer.from(next).toString("base64url")}`;

function insertLoginChallenge({ world, db }: CaseContext) {
  const challenge = startChallenge(createSql(db), { email: world.owner.email });
  return { ...challenge, cookie: loginFlowCookie("login", challenge.browserId) };
}

const MEMBER_ACTIONS: Readonly<Record<string, ActionCase>> = {
  "app/login/actions.ts#askForMail": {
    who: "anyone",
    page: "/login",
    makeValidFields: () => ({ email: `${randomUUID()}@example.test`, next: "/me" }),
    writtenTables: ["LoginChallenge"],
    invalidFields: { email: invalidValues.email },
  },
  "app/login/actions.ts#askAgain": {
    who: "anyone",
    page: "/login/code",
    makeValidFields: (stage) => ({ fields: {}, cookie: insertLoginChallenge(stage).cookie }),
    writtenTables: ["LoginChallenge"],
    invalidFields: {},
  },
  "app/login/actions.ts#logInByLink": {
    who: "anyone",
    page: "/login/confirm",
    makeValidFields: (stage) => {
      const { token, cookie } = insertLoginChallenge(stage);
      return { fields: { token, next: "/me" }, cookie };
    },
    writtenTables: ["LoginChallenge", "Session"],
    invalidFields: { token: invalidValues.token },
  },
  "app/login/actions.ts#logInByCode": {
    who: "anyone",
    page: "/login/code",
    makeValidFields: (stage) => {
      const { code, cookie } = insertLoginChallenge(stage);
      return { fields: { code, next: "/me" }, cookie };
    },
    writtenTables: ["LoginChallenge", "Session"],
    invalidFields: { code: invalidValues.code },
  },
  "app/login/device/actions.ts#logInHere": {
    who: "anyone",
    page: "/login/device",
    makeValidFields: ({ world, db }) => ({
      token: createDeviceLink(createSql(db), world.owner.id).token,
    }),
    writtenTables: ["DeviceLink", "Session"],
    invalidFields: { token: invalidValues.token },
  },
  "app/signup/actions.ts#signUp": {
    who: "anyone",
    page: "/signup",
    makeValidFields: ({ db }) => ({
      fields: { firstName: "Dora", team: "BLUE" },
      cookie: loginFlowCookie(
        "signup",
        startSignup(createSql(db), { email: `${randomUUID()}@example.test` }).browserId,
      ),
    }),
    writtenTables: ["PendingSignup", "Session", "User"],
    invalidFields: { firstName: invalidValues.text(1, 60), team: invalidValues.choice },
  },
  "app/me/actions.ts#changeName": {
    who: "member",
    page: "/me",
    makeValidFields: () => ({ firstName: "Adele" }),
    writtenTables: ["User"],
    invalidFields: { firstName: invalidValues.text(1, 60) },
  },
  "app/me/actions.ts#endOne": {
    who: "member",
    isOwners: true,
    page: "/me",
    makeValidFields: ({ world }) => ({ session: createSessionHandle(world.owner.otherSessionKey) }),
    writtenTables: ["Session"],
    invalidFields: { session: invalidValues.token },
  },
  "app/me/actions.ts#endOthers": {
    who: "member",
    page: "/me",
    makeValidFields: () => ({}),
    writtenTables: ["Session"],
    invalidFields: {},
  },
  "app/me/actions.ts#renameOne": {
    who: "member",
    isOwners: true,
    page: "/me",
    makeValidFields: ({ world }) => ({ id: world.owner.passkeyId, name: "The red key" }),
    writtenTables: ["Passkey"],
    invalidFields: { id: invalidValues.token, name: invalidValues.text(1, 60) },
  },
  "app/me/actions.ts#removeOne": {
    who: "member",
    isOwners: true,
    page: "/me",
    makeValidFields: ({ world }) => ({ id: world.owner.passkeyId }),
    writtenTables: ["Passkey"],
    invalidFields: { id: invalidValues.token },
  },
  "app/me/actions.ts#showCode": {
    who: "member",
    page: "/me",
    makeValidFields: () => ({}),
    writtenTables: ["DeviceLink"],
    invalidFields: {},
  },
  "app/me/actions.ts#logOut": {
    who: "anyone",
    page: "/me",
    makeValidFields: ({ world }) => ({ fields: {}, cookie: world.owner.cookie }),
    writtenTables: ["Session"],
    invalidFields: {},
  },
  "app/me/delete/actions.ts#deleteMine": {
    who: "member",
    recent: true,
    page: "/me/delete",
    makeValidFields: () => ({ confirmation: "delete" }),
    writtenTables: [
      "AuditEvent",
      "Call",
      "CallAnswer",
      "CallReview",
      "Delivery",
      "Episode",
      "Passkey",
      "Session",
      "Upload",
      "UploadPart",
      "User",
    ],
    invalidFields: { confirmation: invalidValues.token },
  },
};

/** What submits a call, and fields that it takes. */
export const SUBMIT_CALL_ACTION = "app/calls/record/actions.ts#submitCall";
export const makeCallFields = (uploadId = "") => ({
  id: randomUUID(),
  title: "A question for you",
  description: "Why do people stand when they speak to many others?",
  keywords: "standing, speaking",
  uploadId,
});

const CALL_ACTIONS: Readonly<Record<string, ActionCase>> = {
  [SUBMIT_CALL_ACTION]: {
    who: "member",
    isOwners: true,
    page: "/calls/record",
    makeValidFields: ({ world }) => makeCallFields(world.owner.uploadId),
    // The upload's row stays for a day, so that what is sent twice is one call.
    writtenTables: ["Call", "CallReview", "Upload", "UploadPart"],
    invalidFields: {
      title: invalidValues.text(5, 50),
      description: invalidValues.text(20, 1_000),
      keywords: invalidValues.text(2, 100),
    },
  },
  "app/calls/mine/actions.ts#deleteCall": {
    who: "member",
    isOwners: true,
    page: "/calls/mine",
    makeValidFields: ({ world }) => ({ id: world.owner.calls.NEW }),
    writtenTables: ["Call", "CallReview"],
    invalidFields: { id: invalidValues.id },
  },
};

const readUpdatedAt = ({ world, db }: CaseContext) =>
  String(db.prepare(`SELECT "updatedAt" FROM "User" WHERE "id" = ?`).pluck().get(world.owner.id));
const USER_TABLES = [
  "Call",
  "CallAnswer",
  "CallReview",
  "Delivery",
  "Episode",
  "Passkey",
  "Session",
  "Upload",
  "UploadPart",
  "User",
];
const userPage = (world: AttackFixture) => `/admin/users/${world.owner.id}`;

const ADMIN_ACTIONS: Readonly<Record<string, ActionCase>> = {
  "app/admin/users/actions.ts#edit": {
    who: "admin",
    page: userPage,
    makeValidFields: (stage) => ({
      id: stage.world.owner.id,
      seenUpdatedAt: readUpdatedAt(stage),
      firstName: "Adelaide",
      team: "YELLOW",
    }),
    writtenTables: ["AuditEvent", "User"],
    invalidFields: {
      id: invalidValues.id,
      firstName: invalidValues.text(1, 60),
      team: invalidValues.choice,
    },
  },
  "app/admin/users/actions.ts#setRole": {
    who: "admin",
    recent: true,
    page: userPage,
    makeValidFields: (stage) => ({
      id: stage.world.owner.id,
      seenUpdatedAt: readUpdatedAt(stage),
      role: "ADMIN",
    }),
    writtenTables: ["AuditEvent", "Session", "User"],
    invalidFields: { id: invalidValues.id, role: invalidValues.choice },
  },
  "app/admin/users/actions.ts#logOutEverywhere": {
    who: "admin",
    recent: true,
    page: userPage,
    makeValidFields: ({ world }) => ({ id: world.owner.id }),
    writtenTables: ["AuditEvent", "Session"],
    invalidFields: { id: invalidValues.id },
  },
  "app/admin/users/actions.ts#remove": {
    who: "admin",
    recent: true,
    page: userPage,
    makeValidFields: ({ world }) => ({ id: world.owner.id, typed: world.owner.email }),
    writtenTables: ["AuditEvent", ...USER_TABLES],
    invalidFields: { id: invalidValues.id, typed: invalidValues.email },
  },
  "app/admin/deliveries/actions.ts#tryAgain": {
    who: "admin",
    page: "/admin/deliveries",
    makeValidFields: ({ world }) => ({ id: String(world.owner.deliveryId) }),
    writtenTables: ["AuditEvent", "Delivery"],
    invalidFields: { id: invalidValues.number },
  },
  "app/admin/deliveries/actions.ts#giveUp": {
    who: "admin",
    page: "/admin/deliveries",
    makeValidFields: ({ world }) => ({ id: String(world.owner.deliveryId) }),
    writtenTables: ["AuditEvent", "Delivery"],
    invalidFields: { id: invalidValues.number },
  },
  "app/admin/content/actions.ts#compile": {
    who: "admin",
    page: "/admin/content",
    makeValidFields: () => ({ slug: "one-door-for-writes" }),
    writtenTables: [],
    invalidFields: { slug: invalidValues.token },
  },
  "app/admin/cache/actions.ts#deleteOne": {
    who: "admin",
    page: "/admin/cache",
    makeValidFields: () => ({ key: listCacheKeys()[0] ?? "", instance: hostname(), q: "" }),
    writtenTables: ["AuditEvent"],
    readUnchangedState: () => listCacheKeys().length,
    // No name at all is this instance.
    invalidFields: {
      key: invalidValues.token,
      instance: (random) => invalidValues.token(random) || "elsewhere",
    },
  },
};

const callPage = (world: AttackFixture) => `/admin/calls/${world.owner.calls.NEW}`;
/** The call in this state, and the moment that its admin saw: of the review, or of the texts. */
const reviewFields =
  (state: CallState) =>
  ({ world, db }: CaseContext) => ({
    id: world.owner.calls[state],
    seen: String(
      db
        .prepare(`SELECT "changedAt" FROM "CallReview" WHERE "callId" = ?`)
        .pluck()
        .get(world.owner.calls[state]),
    ),
  });
const reviewActionCase = (
  state: CallState,
  changes: readonly string[],
  fields: Fields = {},
  wrong: ActionCase["invalidFields"] = {},
): ActionCase => ({
  who: "admin",
  page: callPage,
  makeValidFields: (stage) => ({ ...reviewFields(state)(stage), ...fields }),
  writtenTables: ["AuditEvent", "CallReview", ...changes],
  invalidFields: { id: invalidValues.id, seen: invalidValues.number, ...wrong },
});

const REVIEW_ACTIONS: Readonly<Record<string, ActionCase>> = {
  "app/admin/calls/actions.ts#take": reviewActionCase("NEW", []),
  "app/admin/calls/actions.ts#putBack": reviewActionCase("REVIEWING", []),
  "app/admin/calls/actions.ts#answer": {
    ...reviewActionCase("REVIEWING", ["CallAnswer", "Upload", "UploadPart"]),
    makeValidFields: (stage) => ({
      ...reviewFields("REVIEWING")(stage),
      uploadId: stage.world.admin.uploadId,
    }),
    invalidFields: { id: invalidValues.id, seen: invalidValues.number, uploadId: invalidValues.id },
  },
  "app/admin/calls/actions.ts#removeAnswer": reviewActionCase("ANSWERED", ["CallAnswer"]),
  "app/admin/calls/actions.ts#decline": reviewActionCase(
    "NEW",
    [],
    { reason: "It was answered in another one." },
    { reason: invalidValues.text(10, 1_000) },
  ),
  "app/admin/calls/actions.ts#reopen": reviewActionCase("DECLINED", []),
  "app/admin/calls/actions.ts#publish": reviewActionCase("ANSWERED", ["Episode"], {
    transcript: "Words that were spoken.",
  }),
  "app/admin/calls/actions.ts#unpublish": reviewActionCase("PUBLISHED", ["Episode"]),
  "app/admin/calls/actions.ts#edit": {
    who: "admin",
    page: callPage,
    makeValidFields: ({ world, db }) => ({
      ...makeCallFields(),
      id: world.owner.calls.NEW,
      seen: String(
        db
          .prepare(`SELECT "updatedAt" FROM "Call" WHERE "id" = ?`)
          .pluck()
          .get(world.owner.calls.NEW),
      ),
      note: "Ask again.",
    }),
    writtenTables: ["AuditEvent", "Call", "CallReview"],
    invalidFields: {
      id: invalidValues.id,
      seen: invalidValues.number,
      title: invalidValues.text(5, 50),
      description: invalidValues.text(20, 1_000),
      keywords: invalidValues.text(2, 100),
    },
  },
};

/** The entries of the cache file of the site under attack; none where it is another site. */
function listCacheKeys(): string[] {
  const path = join(ATTACK_DIR, "cache.db");
  if (!existsSync(path)) return [];
  const file = new Database(path, { readonly: true, timeout: 5_000 });
  try {
    return file.prepare(`SELECT "key" FROM "cache" ORDER BY "key"`).pluck().all() as string[];
  } finally {
    file.close();
  }
}

export const ACTION_CASES: Readonly<Record<string, ActionCase>> = {
  ...MEMBER_ACTIONS,
  ...CALL_ACTIONS,
  ...ADMIN_ACTIONS,
  ...REVIEW_ACTIONS,
};
