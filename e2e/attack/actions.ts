// Every server action by file and name: who may, what works, what it changes. The build decides whether the table is whole.

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { sqlOf } from "#lib/db/connection.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { startChallenge } from "#lib/members/login-challenge.ts";
import { sessionHandle } from "#lib/members/sessions.ts";
import { beginSignup } from "#lib/members/sign-up.ts";
import { bad } from "./bad-values.ts";
import type { Fields } from "./call-action.ts";
import type { ActionCase, Stage } from "./cases.ts";
import { ATTACK_DIR } from "./server.ts";
import type { State, World } from "./world.ts";

/** The cookie of a log-in or a sign-up under way. */
export const briefCookie = (name: "login" | "signup", browserId: string, next = "/me") =>
  `__Host-${name}=${browserId}.${Buffer.from(next).toString("base64url")}`;

function askedForMail({ world, db }: Stage) {
  const challenge = startChallenge(sqlOf(db), { email: world.owner.email });
  return { ...challenge, cookie: briefCookie("login", challenge.browserId) };
}

const MEMBERS: Readonly<Record<string, ActionCase>> = {
  "app/login/actions.ts#askForMail": {
    who: "anyone",
    page: "/login",
    ready: () => ({ email: `${randomUUID()}@example.test`, next: "/me" }),
    changes: ["LoginChallenge"],
    wrong: { email: bad.email },
  },
  "app/login/actions.ts#askAgain": {
    who: "anyone",
    page: "/login/code",
    ready: (stage) => ({ fields: {}, cookie: askedForMail(stage).cookie }),
    changes: ["LoginChallenge"],
    wrong: {},
  },
  "app/login/actions.ts#logInByLink": {
    who: "anyone",
    page: "/login/confirm",
    ready: (stage) => {
      const { token, cookie } = askedForMail(stage);
      return { fields: { token, next: "/me" }, cookie };
    },
    changes: ["LoginChallenge", "Session"],
    wrong: { token: bad.token },
  },
  "app/login/actions.ts#logInByCode": {
    who: "anyone",
    page: "/login/code",
    ready: (stage) => {
      const { code, cookie } = askedForMail(stage);
      return { fields: { code, next: "/me" }, cookie };
    },
    changes: ["LoginChallenge", "Session"],
    wrong: { code: bad.code },
  },
  "app/login/device/actions.ts#logInHere": {
    who: "anyone",
    page: "/login/device",
    ready: ({ world, db }) => ({ token: createDeviceLink(sqlOf(db), world.owner.id).token }),
    changes: ["DeviceLink", "Session"],
    wrong: { token: bad.token },
  },
  "app/signup/actions.ts#signUp": {
    who: "anyone",
    page: "/signup",
    ready: ({ db }) => ({
      fields: { firstName: "Dora", team: "BLUE" },
      cookie: briefCookie(
        "signup",
        beginSignup(sqlOf(db), { email: `${randomUUID()}@example.test` }).browserId,
      ),
    }),
    changes: ["PendingSignup", "Session", "User"],
    wrong: { firstName: bad.text(1, 60), team: bad.choice },
  },
  "app/me/actions.ts#changeName": {
    who: "member",
    page: "/me",
    ready: () => ({ firstName: "Adele" }),
    changes: ["User"],
    wrong: { firstName: bad.text(1, 60) },
  },
  "app/me/actions.ts#endOne": {
    who: "member",
    isOwners: true,
    page: "/me",
    ready: ({ world }) => ({ session: sessionHandle(world.owner.otherSessionKey) }),
    changes: ["Session"],
    wrong: { session: bad.token },
  },
  "app/me/actions.ts#endOthers": {
    who: "member",
    page: "/me",
    ready: () => ({}),
    changes: ["Session"],
    wrong: {},
  },
  "app/me/actions.ts#renameOne": {
    who: "member",
    isOwners: true,
    page: "/me",
    ready: ({ world }) => ({ id: world.owner.passkeyId, name: "The red key" }),
    changes: ["Passkey"],
    wrong: { id: bad.token, name: bad.text(1, 60) },
  },
  "app/me/actions.ts#removeOne": {
    who: "member",
    isOwners: true,
    page: "/me",
    ready: ({ world }) => ({ id: world.owner.passkeyId }),
    changes: ["Passkey"],
    wrong: { id: bad.token },
  },
  "app/me/actions.ts#showCode": {
    who: "member",
    page: "/me",
    ready: () => ({}),
    changes: ["DeviceLink"],
    wrong: {},
  },
  "app/me/actions.ts#logOut": {
    who: "anyone",
    page: "/me",
    ready: ({ world }) => ({ fields: {}, cookie: world.owner.cookie }),
    changes: ["Session"],
    wrong: {},
  },
  "app/me/delete/actions.ts#deleteMine": {
    who: "member",
    recent: true,
    page: "/me/delete",
    ready: () => ({ confirmation: "delete" }),
    changes: [
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
    wrong: { confirmation: bad.token },
  },
};

/** What submits a call, and fields that it takes. */
export const SUBMIT = "app/calls/record/actions.ts#submitCall";
export const callFields = (uploadId = "") => ({
  id: randomUUID(),
  title: "A question for you",
  description: "Why do people stand when they speak to many others?",
  keywords: "standing, speaking",
  uploadId,
});

const CALLS: Readonly<Record<string, ActionCase>> = {
  [SUBMIT]: {
    who: "member",
    isOwners: true,
    page: "/calls/record",
    ready: ({ world }) => callFields(world.owner.uploadId),
    // The upload's row stays for a day, so that what is sent twice is one call.
    changes: ["Call", "CallReview", "Upload", "UploadPart"],
    wrong: { title: bad.text(5, 50), description: bad.text(20, 1_000), keywords: bad.text(2, 100) },
  },
  "app/calls/mine/actions.ts#deleteCall": {
    who: "member",
    isOwners: true,
    page: "/calls/mine",
    ready: ({ world }) => ({ id: world.owner.calls.NEW }),
    changes: ["Call", "CallReview"],
    wrong: { id: bad.id },
  },
};

const seenUpdatedAt = ({ world, db }: Stage) =>
  String(db.prepare(`SELECT "updatedAt" FROM "User" WHERE "id" = ?`).pluck().get(world.owner.id));
const everythingOf = [
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
const userPage = (world: World) => `/admin/users/${world.owner.id}`;

const ADMINS: Readonly<Record<string, ActionCase>> = {
  "app/admin/users/actions.ts#edit": {
    who: "admin",
    page: userPage,
    ready: (stage) => ({
      id: stage.world.owner.id,
      seenUpdatedAt: seenUpdatedAt(stage),
      firstName: "Adelaide",
      team: "YELLOW",
    }),
    changes: ["AuditEvent", "User"],
    wrong: { id: bad.id, firstName: bad.text(1, 60), team: bad.choice },
  },
  "app/admin/users/actions.ts#setRole": {
    who: "admin",
    recent: true,
    page: userPage,
    ready: (stage) => ({
      id: stage.world.owner.id,
      seenUpdatedAt: seenUpdatedAt(stage),
      role: "ADMIN",
    }),
    changes: ["AuditEvent", "Session", "User"],
    wrong: { id: bad.id, role: bad.choice },
  },
  "app/admin/users/actions.ts#logOutEverywhere": {
    who: "admin",
    recent: true,
    page: userPage,
    ready: ({ world }) => ({ id: world.owner.id }),
    changes: ["AuditEvent", "Session"],
    wrong: { id: bad.id },
  },
  "app/admin/users/actions.ts#remove": {
    who: "admin",
    recent: true,
    page: userPage,
    ready: ({ world }) => ({ id: world.owner.id, typed: world.owner.email }),
    changes: ["AuditEvent", ...everythingOf],
    wrong: { id: bad.id, typed: bad.email },
  },
  "app/admin/deliveries/actions.ts#tryAgain": {
    who: "admin",
    page: "/admin/deliveries",
    ready: ({ world }) => ({ id: String(world.owner.deliveryId) }),
    changes: ["AuditEvent", "Delivery"],
    wrong: { id: bad.number },
  },
  "app/admin/deliveries/actions.ts#giveUp": {
    who: "admin",
    page: "/admin/deliveries",
    ready: ({ world }) => ({ id: String(world.owner.deliveryId) }),
    changes: ["AuditEvent", "Delivery"],
    wrong: { id: bad.number },
  },
  "app/admin/content/actions.ts#compile": {
    who: "admin",
    page: "/admin/content",
    ready: () => ({ slug: "one-door-for-writes" }),
    changes: [],
    wrong: { slug: bad.token },
  },
  "app/admin/cache/actions.ts#deleteOne": {
    who: "admin",
    page: "/admin/cache",
    ready: () => ({ key: cacheKeys()[0] ?? "", instance: hostname(), q: "" }),
    changes: ["AuditEvent"],
    holds: () => cacheKeys().length,
    // No name at all is this instance.
    wrong: { key: bad.token, instance: (random) => bad.token(random) || "elsewhere" },
  },
};

const callPage = (world: World) => `/admin/calls/${world.owner.calls.NEW}`;
/** The call in this state, and the moment that its admin saw: of the review, or of the texts. */
const decision =
  (state: State) =>
  ({ world, db }: Stage) => ({
    id: world.owner.calls[state],
    seen: String(
      db
        .prepare(`SELECT "changedAt" FROM "CallReview" WHERE "callId" = ?`)
        .pluck()
        .get(world.owner.calls[state]),
    ),
  });
const decides = (
  state: State,
  changes: readonly string[],
  fields: Fields = {},
  wrong: ActionCase["wrong"] = {},
): ActionCase => ({
  who: "admin",
  page: callPage,
  ready: (stage) => ({ ...decision(state)(stage), ...fields }),
  changes: ["AuditEvent", "CallReview", ...changes],
  wrong: { id: bad.id, seen: bad.number, ...wrong },
});

const REVIEWS: Readonly<Record<string, ActionCase>> = {
  "app/admin/calls/actions.ts#take": decides("NEW", []),
  "app/admin/calls/actions.ts#putBack": decides("REVIEWING", []),
  "app/admin/calls/actions.ts#answer": {
    ...decides("REVIEWING", ["CallAnswer", "Upload", "UploadPart"]),
    ready: (stage) => ({ ...decision("REVIEWING")(stage), uploadId: stage.world.admin.uploadId }),
    wrong: { id: bad.id, seen: bad.number, uploadId: bad.id },
  },
  "app/admin/calls/actions.ts#removeAnswer": decides("ANSWERED", ["CallAnswer"]),
  "app/admin/calls/actions.ts#decline": decides(
    "NEW",
    [],
    { reason: "It was answered in another one." },
    { reason: bad.text(10, 1_000) },
  ),
  "app/admin/calls/actions.ts#reopen": decides("DECLINED", []),
  "app/admin/calls/actions.ts#publish": decides("ANSWERED", ["Episode"], {
    transcript: "Words that were spoken.",
  }),
  "app/admin/calls/actions.ts#unpublish": decides("PUBLISHED", ["Episode"]),
  "app/admin/calls/actions.ts#edit": {
    who: "admin",
    page: callPage,
    ready: ({ world, db }) => ({
      ...callFields(),
      id: world.owner.calls.NEW,
      seen: String(
        db
          .prepare(`SELECT "updatedAt" FROM "Call" WHERE "id" = ?`)
          .pluck()
          .get(world.owner.calls.NEW),
      ),
      note: "Ask again.",
    }),
    changes: ["AuditEvent", "Call", "CallReview"],
    wrong: {
      id: bad.id,
      seen: bad.number,
      title: bad.text(5, 50),
      description: bad.text(20, 1_000),
      keywords: bad.text(2, 100),
    },
  },
};

/** The entries of the cache file of the site under attack; none where it is another site. */
function cacheKeys(): string[] {
  const path = join(ATTACK_DIR, "cache.db");
  if (!existsSync(path)) return [];
  const file = new Database(path, { readonly: true, timeout: 5_000 });
  try {
    return file.prepare(`SELECT "key" FROM "cache" ORDER BY "key"`).pluck().all() as string[];
  } finally {
    file.close();
  }
}

export const ACTIONS: Readonly<Record<string, ActionCase>> = {
  ...MEMBERS,
  ...CALLS,
  ...ADMINS,
  ...REVIEWS,
};
