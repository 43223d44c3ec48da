// Lists every server action by file and export, with its access rule. A test compares the table
// with the build.

import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { generateSecret } from "#lib/core/secret.ts";
import type { IssueState } from "#lib/db/column-values.ts";
import { signConfirmationToken, signUnsubscribeToken } from "#lib/members/subscription-token.ts";
import { startChallenge } from "#lib/members/login-challenge.ts";
import { createSessionHandle } from "#lib/members/sessions.ts";
import { startSignup } from "#lib/members/sign-up.ts";
import { issueVersion } from "#lib/newsletter/issues.ts";
import { setPostSaved } from "#lib/reading/saved-posts.ts";
import { pick } from "#tests/support/random.ts";
import { writeTo } from "#tests/support/write-to.ts";
import { invalidValues } from "./fuzz-values.ts";
import type { Fields } from "./server-action-request.ts";
import type { ActionCase, CaseContext } from "./cases.ts";
import { ATTACK_DIR } from "#tests/support/e2e/site-under-test.ts";
import type { CallState, AttackFixture } from "./attack-fixture.ts";

/** Returns the cookie of a pending login or sign-up. */
export const loginFlowCookie = (name: "login" | "signup", browserId: string, next = "/me") =>
  `__Host-${name}=${browserId}.${Buffer.from(next).toString("base64url")}`;

async function insertLoginChallenge({ fixture, db }: CaseContext) {
  const challenge = await writeTo(db.name, (tx) =>
    startChallenge(tx, { email: fixture.owner.email }),
  );
  return { ...challenge, cookie: loginFlowCookie("login", challenge.browserId) };
}

/** Subscribes the address, and returns its ID. Enqueues no email. */
export const insertSubscriber = (file: string, email: string) =>
  writeTo(file, async (tx) => {
    const { id } = await tx.subscriber.upsert({
      where: { email },
      create: { id: randomUUID(), email, subscribedAt: new Date(nowMs()) },
      update: {},
      select: { id: true },
    });
    return id;
  });

const insertSavedPost = (file: string, userId: string) =>
  writeTo(file, async (tx) => {
    const slug = "one-door-for-writes";
    await setPostSaved(tx, { userId, slug, isSaved: true, nowMs: nowMs() });
  });

const DRAFT_SLUG = "a-draft";
const insertPreviewLink = (file: string) =>
  writeTo(file, async (tx) => {
    const id = generateSecret(128);
    const now = nowMs();
    await tx.previewLink.create({
      data: {
        id,
        postSlug: DRAFT_SLUG,
        createdAt: new Date(now),
        expiresAt: new Date(now + DAY_MS),
      },
    });
    return id;
  });

/** Inserts an issue, in the future if it is scheduled, with an uncertain delivery if it was sent. */
const insertIssue = ({ db }: CaseContext, state: IssueState): Promise<string> =>
  writeTo(db.name, async (tx) => {
    const now = new Date(nowMs());
    const { id } = await tx.newsletterIssue.create({
      data: {
        createdAt: now,
        postSlug: "one-door-for-writes",
        subject: "News",
        state,
        sendAt: new Date(nowMs() + 365 * DAY_MS),
        ...(state === "SENT" && {
          recipientCount: 1,
          deliveries: {
            create: { subscriberId: randomUUID(), state: "UNCERTAIN", nextTryAt: now },
          },
        }),
      },
      select: { id: true },
    });
    return String(id);
  });

const MEMBER_ACTIONS: Readonly<Record<string, ActionCase>> = {
  "app/login/actions.ts#requestLoginEmail": {
    requiredRole: "anyone",
    page: "/login",
    makeValidFields: () => ({ email: `${randomUUID()}@example.test`, next: "/me" }),
    writtenTables: ["LoginChallenge"],
    invalidFields: { email: invalidValues.email },
  },
  "app/login/actions.ts#resendLoginEmail": {
    requiredRole: "anyone",
    page: "/login/code",
    makeValidFields: async (context) => ({
      fields: {},
      cookie: (await insertLoginChallenge(context)).cookie,
    }),
    writtenTables: ["LoginChallenge"],
    invalidFields: {},
  },
  "app/login/actions.ts#logInByLink": {
    requiredRole: "anyone",
    page: "/login/confirm",
    makeValidFields: async (context) => {
      const { token, cookie } = await insertLoginChallenge(context);
      return { fields: { token, next: "/me" }, cookie };
    },
    writtenTables: ["LoginChallenge", "Session"],
    invalidFields: { token: invalidValues.token },
  },
  "app/login/actions.ts#logInByCode": {
    requiredRole: "anyone",
    page: "/login/code",
    makeValidFields: async (context) => {
      const { code, cookie } = await insertLoginChallenge(context);
      return { fields: { code, next: "/me" }, cookie };
    },
    writtenTables: ["LoginChallenge", "Session"],
    invalidFields: { code: invalidValues.code },
  },
  "app/login/device/actions.ts#logInOnDevice": {
    requiredRole: "anyone",
    page: "/login/device",
    makeValidFields: async ({ fixture, db }) => ({
      token: (await writeTo(db.name, (tx) => createDeviceLink(tx, fixture.owner.id))).token,
    }),
    writtenTables: ["DeviceLink", "Session"],
    invalidFields: { token: invalidValues.token },
  },
  "app/signup/actions.ts#signUp": {
    requiredRole: "anyone",
    page: "/signup",
    makeValidFields: async ({ db }) => {
      const { browserId } = await writeTo(db.name, (tx) =>
        startSignup(tx, { email: `${randomUUID()}@example.test` }),
      );
      return {
        fields: { firstName: "Dora", team: "BLUE" },
        cookie: loginFlowCookie("signup", browserId),
      };
    },
    writtenTables: ["PendingSignup", "Session", "User"],
    invalidFields: { firstName: invalidValues.text(1, 60), team: invalidValues.choice },
  },
  "app/unsubscribe/actions.ts#unsubscribe": {
    requiredRole: "anyone",
    page: "/unsubscribe",
    makeValidFields: async ({ fixture, db }) => ({
      token: signUnsubscribeToken(await insertSubscriber(db.name, fixture.owner.email)),
    }),
    writtenTables: ["Consent", "Subscriber"],
    invalidFields: { token: invalidValues.token },
  },
  "app/unsubscribe/actions.ts#chooseTopics": {
    requiredRole: "anyone",
    page: "/unsubscribe",
    makeValidFields: async ({ fixture, db }) => ({
      token: signUnsubscribeToken(await insertSubscriber(db.name, fixture.owner.email)),
      "topic:sqlite": "on",
    }),
    writtenTables: ["Subscriber"],
    invalidFields: { token: invalidValues.token },
  },
  "app/subscribe/actions.ts#requestSubscription": {
    requiredRole: "anyone",
    page: "/subscribe",
    makeValidFields: () => ({ email: `${randomUUID()}@example.test` }),
    // Its email is sent, and so its delivery deleted.
    writtenTables: [],
    invalidFields: { email: invalidValues.email },
  },
  "app/subscribe/actions.ts#confirmSubscription": {
    requiredRole: "anyone",
    page: "/subscribe/confirm",
    makeValidFields: () => ({ token: signConfirmationToken(`${randomUUID()}@example.test`) }),
    writtenTables: ["Subscriber"],
    invalidFields: { token: invalidValues.token },
  },
  "app/me/actions.ts#removeSavedPost": {
    requiredRole: "member",
    page: "/me",
    makeValidFields: async ({ fixture, db }) => {
      await insertSavedPost(db.name, fixture.owner.id);
      return { slug: "one-door-for-writes" };
    },
    writtenTables: ["SavedPost"],
    invalidFields: { slug: (random) => pick(random, ["", "x".repeat(301), undefined]) },
  },
  "app/me/actions.ts#changeConsent": {
    requiredRole: "member",
    page: "/me",
    makeValidFields: async ({ fixture, db }) => {
      await insertSubscriber(db.name, fixture.owner.email);
      return { purpose: "NEWSLETTER", isGranted: "no" };
    },
    writtenTables: ["Consent", "Subscriber"],
    invalidFields: { purpose: invalidValues.choice, isGranted: invalidValues.choice },
  },
  "app/me/actions.ts#updateFirstName": {
    requiredRole: "member",
    page: "/me",
    makeValidFields: () => ({ firstName: "Adele" }),
    writtenTables: ["User"],
    invalidFields: { firstName: invalidValues.text(1, 60) },
  },
  "app/me/actions.ts#revokeSession": {
    requiredRole: "member",
    isOwnerOnly: true,
    page: "/me",
    makeValidFields: ({ fixture }) => ({
      session: createSessionHandle(fixture.owner.otherSessionKey),
    }),
    writtenTables: ["Session"],
    invalidFields: { session: invalidValues.token },
  },
  "app/me/actions.ts#revokeOtherSessions": {
    requiredRole: "member",
    page: "/me",
    makeValidFields: () => ({}),
    writtenTables: ["Session"],
    invalidFields: {},
  },
  "app/me/actions.ts#renamePasskey": {
    requiredRole: "member",
    isOwnerOnly: true,
    page: "/me",
    makeValidFields: ({ fixture }) => ({ id: fixture.owner.passkeyId, name: "The red key" }),
    writtenTables: ["Passkey"],
    invalidFields: { id: invalidValues.token, name: invalidValues.text(1, 60) },
  },
  "app/me/actions.ts#removePasskey": {
    requiredRole: "member",
    isOwnerOnly: true,
    page: "/me",
    makeValidFields: ({ fixture }) => ({ id: fixture.owner.passkeyId }),
    writtenTables: ["Passkey"],
    invalidFields: { id: invalidValues.token },
  },
  "app/me/actions.ts#showDeviceCode": {
    requiredRole: "member",
    page: "/me",
    makeValidFields: () => ({}),
    writtenTables: ["DeviceLink"],
    invalidFields: {},
  },
  "app/me/actions.ts#logOut": {
    requiredRole: "anyone",
    page: "/me",
    makeValidFields: ({ fixture }) => ({ fields: {}, cookie: fixture.owner.cookie }),
    writtenTables: ["Session"],
    invalidFields: {},
  },
  "app/me/delete/actions.ts#deleteMyAccount": {
    requiredRole: "member",
    needsRecentLogin: true,
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
    requiredRole: "member",
    isOwnerOnly: true,
    page: "/calls/record",
    makeValidFields: ({ fixture }) => makeCallFields(fixture.owner.uploadId),
    // The upload's row stays for a day, so that resubmitting it creates no second call.
    writtenTables: ["Call", "CallReview", "Upload"],
    invalidFields: {
      title: invalidValues.text(5, 50),
      description: invalidValues.text(20, 1_000),
      keywords: invalidValues.text(2, 100),
    },
  },
  "app/calls/mine/actions.ts#deleteCall": {
    requiredRole: "member",
    isOwnerOnly: true,
    page: "/calls/mine",
    makeValidFields: ({ fixture }) => ({ id: fixture.owner.calls.NEW }),
    writtenTables: ["Call", "CallReview"],
    invalidFields: { id: invalidValues.id },
  },
};

const readUpdatedAt = ({ fixture, db }: CaseContext) =>
  String(db.prepare(`SELECT "updatedAt" FROM "User" WHERE "id" = ?`).pluck().get(fixture.owner.id));
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
const userPage = (fixture: AttackFixture) => `/admin/users/${fixture.owner.id}`;

const ADMIN_ACTIONS: Readonly<Record<string, ActionCase>> = {
  "app/admin/users/actions.ts#editMember": {
    requiredRole: "admin",
    page: userPage,
    makeValidFields: (context) => ({
      id: context.fixture.owner.id,
      expectedVersion: readUpdatedAt(context),
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
  "app/admin/users/actions.ts#changeMemberRole": {
    requiredRole: "admin",
    needsRecentLogin: true,
    page: userPage,
    makeValidFields: (context) => ({
      id: context.fixture.owner.id,
      expectedVersion: readUpdatedAt(context),
      role: "ADMIN",
    }),
    writtenTables: ["AuditEvent", "Session", "User"],
    invalidFields: { id: invalidValues.id, role: invalidValues.choice },
  },
  "app/admin/users/actions.ts#revokeMemberSessions": {
    requiredRole: "admin",
    needsRecentLogin: true,
    page: userPage,
    makeValidFields: ({ fixture }) => ({ id: fixture.owner.id }),
    writtenTables: ["AuditEvent", "Session"],
    invalidFields: { id: invalidValues.id },
  },
  "app/admin/users/actions.ts#deleteMember": {
    requiredRole: "admin",
    needsRecentLogin: true,
    page: userPage,
    makeValidFields: ({ fixture }) => ({ id: fixture.owner.id, typed: fixture.owner.email }),
    writtenTables: ["AuditEvent", ...USER_TABLES],
    invalidFields: { id: invalidValues.id, typed: invalidValues.email },
  },
  "app/admin/deliveries/actions.ts#retryDeliveryAction": {
    requiredRole: "admin",
    page: "/admin/deliveries",
    makeValidFields: ({ fixture }) => ({ id: String(fixture.owner.deliveryId) }),
    writtenTables: ["AuditEvent", "Delivery"],
    invalidFields: { id: invalidValues.number },
  },
  "app/admin/deliveries/actions.ts#abandonDeliveryAction": {
    requiredRole: "admin",
    page: "/admin/deliveries",
    makeValidFields: ({ fixture }) => ({ id: String(fixture.owner.deliveryId) }),
    writtenTables: ["AuditEvent", "Delivery"],
    invalidFields: { id: invalidValues.number },
  },
  "app/admin/posts/actions.ts#createPreview": {
    requiredRole: "admin",
    page: `/admin/posts/${DRAFT_SLUG}`,
    makeValidFields: () => ({ slug: DRAFT_SLUG, days: "7" }),
    writtenTables: ["AuditEvent", "PreviewLink"],
    invalidFields: { slug: invalidValues.token, days: invalidValues.number },
  },
  "app/admin/posts/actions.ts#withdrawPreview": {
    requiredRole: "admin",
    page: `/admin/posts/${DRAFT_SLUG}`,
    makeValidFields: async ({ db }) => ({ id: await insertPreviewLink(db.name) }),
    writtenTables: ["AuditEvent", "PreviewLink"],
    invalidFields: { id: invalidValues.token },
  },
  "app/admin/newsletter/actions.ts#createIssueAction": {
    requiredRole: "admin",
    page: "/admin/newsletter",
    makeValidFields: () => ({ slug: "one-door-for-writes" }),
    writtenTables: ["NewsletterIssue"],
    invalidFields: { slug: invalidValues.token },
  },
  "app/admin/newsletter/actions.ts#editIssueAction": {
    requiredRole: "admin",
    page: "/admin/newsletter",
    makeValidFields: async (context) => {
      const id = await insertIssue(context, "DRAFT");
      const sendAt = context.db
        .prepare(`SELECT "sendAt" FROM "NewsletterIssue" WHERE "id" = ?`)
        .pluck()
        .get(id) as number;
      return {
        id,
        subject: "News",
        intro: "Hello.",
        sendAt: "2100-01-01T00:00",
        expectedVersion: issueVersion({ subject: "News", intro: "", sendAt: new Date(sendAt) }),
        intent: "send",
      };
    },
    writtenTables: ["AuditEvent", "NewsletterIssue"],
    invalidFields: {
      id: invalidValues.number,
      expectedVersion: invalidValues.token,
      subject: invalidValues.text(1, 150),
      intent: invalidValues.choice,
    },
  },
  "app/admin/newsletter/actions.ts#cancelIssueAction": {
    requiredRole: "admin",
    page: "/admin/newsletter",
    makeValidFields: async (context) => ({ id: await insertIssue(context, "SCHEDULED") }),
    writtenTables: ["AuditEvent", "NewsletterIssue"],
    invalidFields: { id: invalidValues.number },
  },
  "app/admin/newsletter/actions.ts#deleteIssueAction": {
    requiredRole: "admin",
    page: "/admin/newsletter",
    makeValidFields: async (context) => ({ id: await insertIssue(context, "DRAFT") }),
    writtenTables: ["NewsletterIssue"],
    invalidFields: { id: invalidValues.number },
  },
  "app/admin/newsletter/actions.ts#resendIssueAction": {
    requiredRole: "admin",
    page: "/admin/newsletter",
    makeValidFields: async (context) => ({
      id: await insertIssue(context, "SENT"),
      state: "UNCERTAIN",
    }),
    // The subscriber is gone, so that nothing is sent.
    writtenTables: ["AuditEvent", "NewsletterDelivery", "NewsletterIssue"],
    invalidFields: { id: invalidValues.number, state: invalidValues.choice },
  },
  "app/admin/newsletter/actions.ts#removeSubscriberAction": {
    requiredRole: "admin",
    page: "/admin/newsletter/subscribers",
    makeValidFields: async ({ db }) => ({
      id: await insertSubscriber(db.name, `${randomUUID()}@example.test`),
    }),
    writtenTables: ["AuditEvent", "Subscriber"],
    invalidFields: { id: invalidValues.token },
  },
  "app/admin/content/actions.ts#compilePost": {
    requiredRole: "admin",
    page: "/admin/content",
    makeValidFields: () => ({ slug: "one-door-for-writes" }),
    writtenTables: [],
    invalidFields: { slug: invalidValues.token },
  },
  "app/admin/cache/actions.ts#deleteCacheEntry": {
    requiredRole: "admin",
    page: "/admin/cache",
    makeValidFields: () => ({ key: listCacheKeys()[0] ?? "", instance: hostname(), q: "" }),
    writtenTables: ["AuditEvent"],
    readUnchangedState: () => listCacheKeys().length,
    // An empty name means this instance.
    invalidFields: {
      key: invalidValues.token,
      instance: (random) => invalidValues.token(random) || "elsewhere",
    },
  },
};

const callPage = (fixture: AttackFixture) => `/admin/calls/${fixture.owner.calls.NEW}`;
/** Returns the fields with the id of the call in this state and its expected version. */
const reviewFields =
  (state: CallState) =>
  ({ fixture, db }: CaseContext) => ({
    id: fixture.owner.calls[state],
    expectedVersion: String(
      db
        .prepare(`SELECT "changedAt" FROM "CallReview" WHERE "callId" = ?`)
        .pluck()
        .get(fixture.owner.calls[state]),
    ),
  });
const reviewActionCase = (
  state: CallState,
  writtenTables: readonly string[],
  fields: Fields = {},
  invalidFields: ActionCase["invalidFields"] = {},
): ActionCase => ({
  requiredRole: "admin",
  page: callPage,
  makeValidFields: (context) => ({ ...reviewFields(state)(context), ...fields }),
  writtenTables: ["AuditEvent", "CallReview", ...writtenTables],
  invalidFields: { id: invalidValues.id, expectedVersion: invalidValues.number, ...invalidFields },
});

const REVIEW_ACTIONS: Readonly<Record<string, ActionCase>> = {
  "app/admin/calls/actions.ts#claimCallAction": reviewActionCase("NEW", []),
  "app/admin/calls/actions.ts#unclaimCallAction": reviewActionCase("REVIEWING", []),
  "app/admin/calls/actions.ts#saveAnswerAction": {
    ...reviewActionCase("REVIEWING", ["CallAnswer", "Upload", "UploadPart"]),
    makeValidFields: (context) => ({
      ...reviewFields("REVIEWING")(context),
      uploadId: context.fixture.admin.uploadId,
    }),
    invalidFields: {
      id: invalidValues.id,
      expectedVersion: invalidValues.number,
      uploadId: invalidValues.id,
    },
  },
  "app/admin/calls/actions.ts#removeAnswerAction": reviewActionCase("ANSWERED", ["CallAnswer"]),
  "app/admin/calls/actions.ts#declineCallAction": reviewActionCase(
    "NEW",
    [],
    { reason: "It was answered in another one." },
    { reason: invalidValues.text(10, 1_000) },
  ),
  "app/admin/calls/actions.ts#reopenCallAction": reviewActionCase("DECLINED", []),
  "app/admin/calls/actions.ts#publishCallAction": reviewActionCase("ANSWERED", ["Episode"], {
    transcript: "Words that were spoken.",
  }),
  "app/admin/calls/actions.ts#unpublishCallAction": reviewActionCase("PUBLISHED", ["Episode"]),
  "app/admin/calls/actions.ts#editCallAction": {
    requiredRole: "admin",
    page: callPage,
    makeValidFields: ({ fixture, db }) => ({
      ...makeCallFields(),
      id: fixture.owner.calls.NEW,
      expectedVersion: String(
        db
          .prepare(`SELECT "updatedAt" FROM "Call" WHERE "id" = ?`)
          .pluck()
          .get(fixture.owner.calls.NEW),
      ),
      note: "Ask again.",
    }),
    writtenTables: ["AuditEvent", "Call", "CallReview"],
    invalidFields: {
      id: invalidValues.id,
      expectedVersion: invalidValues.number,
      title: invalidValues.text(5, 50),
      description: invalidValues.text(20, 1_000),
      keywords: invalidValues.text(2, 100),
    },
  },
};

/** Returns the keys in the cache of the site under attack; none if another site is attacked. */
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
