// Attacks every stored and reflected text with markup (XSS).

import { fromHtml } from "hast-util-from-html";
import { XMLParser } from "fast-xml-parser";
import { visit } from "unist-util-visit";
import { createSql } from "#lib/db/connection.ts";
import { createDeviceLink } from "#lib/members/device-link.ts";
import { SUBMIT_CALL_ACTION, makeCallFields } from "#tests/support/attack/action-cases.ts";
import {
  makeSameOriginAction,
  parseActionResult,
} from "#tests/support/attack/server-action-request.ts";
import { expect, test } from "#tests/support/attack/fixtures.ts";
import { sendAttack } from "#tests/support/attack/attack-client.ts";
import { insertReviewedCall } from "#tests/support/attack/attack-fixture.ts";
import { insertEpisode } from "#tests/support/factories.ts";
import { writeTo } from "#tests/support/write-to.ts";

/**
 * Breaks out of attributes, scripts, titles, comments and CDATA, and is detectable as an element.
 * 46 characters.
 */
const EVIL = `"'></script></title>]]>--><i id=evil7 onload=x>`;
const evil = (label: string) => `${EVIL}${label}`;

/** Returns elements and attributes that only injected text can add. */
function findInjections(html: string): string[] {
  const injections: string[] = [];
  visit(fromHtml(html), "element", ({ tagName, properties }) => {
    if (
      properties.id === "evil7" ||
      Object.keys(properties).some((name) => /^on[a-z]/i.test(name) || name === "evil7")
    )
      injections.push(tagName);
    for (const name of ["href", "src", "action", "formAction"])
      if (/^\s*(javascript|data:text|vbscript):/i.test(String(properties[name] ?? "")))
        injections.push(`${tagName} ${name}`);
  });
  return injections;
}

test("texts of members and admins are escaped on every page, in the feed, in JSON-LD and in emails (XSS)", async ({
  insertFixture,
  site: { db, server },
}) => {
  const { owner, admin } = await insertFixture();
  db.prepare(`UPDATE "User" SET "firstName" = ? WHERE "id" = ?`).run(evil("name"), owner.id);
  db.prepare(`UPDATE "SessionInfo" SET "device" = ?, "place" = ? WHERE "sessionId" = ?`).run(
    evil("device"),
    evil("place"),
    owner.otherSessionKey,
  );
  db.prepare(`UPDATE "Passkey" SET "name" = ? WHERE "userId" = ?`).run(evil("key"), owner.id);
  db.prepare(`UPDATE "Delivery" SET "about" = ?, "lastError" = ? WHERE "userId" = ?`).run(
    evil("about"),
    evil("error"),
    owner.id,
  );
  db.prepare(
    `INSERT INTO "AuditEvent" ("createdAt", "actorId", "action", "subjectId", "detail") VALUES (?, ?, ?, ?, ?)`,
  ).run(
    Date.now(),
    owner.id,
    evil("action"),
    owner.calls.NEW,
    JSON.stringify({ [evil("key")]: evil("detail") }),
  );
  const texts = {
    title: evil("t"),
    description: evil("description"),
    keywords: `${evil("k")}, javascript:alert(1)`,
  };
  const declined = insertReviewedCall(db, { userId: owner.id, ...texts, state: "DECLINED" });
  db.prepare(`UPDATE "CallReview" SET "note" = ?, "declineReason" = ? WHERE "callId" = ?`).run(
    evil("note"),
    evil("reason"),
    declined,
  );
  const published = insertReviewedCall(db, { userId: owner.id, ...texts, state: "PUBLISHED" });
  const { slug } = insertEpisode(createSql(db), {
    callId: published,
    ...texts,
    callerName: evil("caller"),
    transcript: `${evil("transcript")}\n\n[link](javascript:alert(1))`,
  });
  const typed = insertReviewedCall(db, { userId: owner.id, ...texts, audio: null });

  const link = await writeTo(db.name, (tx) => createDeviceLink(tx, owner.id));
  const pages: [string, string | undefined, readonly string[]][] = [
    ["/me", owner.cookie, ["name", "device", "key"]],
    ["/calls/mine", owner.cookie, ["t", "reason"]],
    ["/calls", undefined, ["t"]],
    [`/calls/${slug}`, undefined, ["t", "description", "caller", "transcript"]],
    ["/admin", admin.cookie, []],
    [`/admin/users?q=${encodeURIComponent(EVIL)}`, admin.cookie, ["name"]],
    [`/admin/users/${owner.id}`, admin.cookie, ["name", "t"]],
    ["/admin/calls", admin.cookie, ["t", "name"]],
    [`/admin/calls?q=${encodeURIComponent(EVIL)}`, admin.cookie, []],
    ["/admin/calls?state=DECLINED", admin.cookie, []],
    ["/admin/calls?state=PUBLISHED", admin.cookie, []],
    ...[declined, published, typed].map((id): [string, string, readonly string[]] => [
      `/admin/calls/${id}`,
      admin.cookie,
      ["t", "description"],
    ]),
    [`/admin/calls/${declined}`, admin.cookie, ["note", "reason"]],
    ["/admin/deliveries", admin.cookie, ["about", "error"]],
    ["/admin/log", admin.cookie, ["action"]],
    ["/me/delete", owner.cookie, []],
    ["/login", owner.cookie, ["name"]],
    [`/login/device?token=${link.token}`, undefined, ["name"]],
    ["/teams", undefined, []],
    ["/", owner.cookie, []],
  ];
  const decodeEntities = (html: string) =>
    html
      .replaceAll("&quot;", '"')
      .replaceAll("&#x27;", "'")
      .replaceAll("&#39;", "'")
      .replaceAll("&lt;", "<")
      .replaceAll("&gt;", ">")
      .replaceAll("&amp;", "&");
  for (const [path, cookie, labels] of pages) {
    const { status, text } = await sendAttack({ path, cookie });
    expect([path, status]).toEqual([path, 200]);
    expect([path, findInjections(text)]).toEqual([path, []]);
    // The text itself must be shown, or else the absence of markup would prove nothing.
    for (const label of labels)
      expect(decodeEntities(text).includes(evil(label)), `${path} shows ${label}`).toBe(true);
    for (const [, json] of text.matchAll(
      /<script type="application\/ld\+json"[^>]*>(.*?)<\/script>/gs,
    ))
      JSON.parse(json ?? "");
  }
  const feed = (await sendAttack({ path: "/calls/feed.xml" })).text;
  const parsed = new XMLParser({ ignoreAttributes: false, processEntities: true }).parse(feed) as {
    rss: { channel: { item: { title: string }[] | { title: string } } };
  };
  expect([parsed.rss.channel.item].flat().map(({ title }) => title)).toContain(texts.title);
  expect(feed).not.toContain("<i id=evil7");

  for (const [path, cookie] of [
    [`/calls/recording/${declined}`, owner.cookie],
    [`/calls/audio/${slug}/answer`, undefined],
    [`/calls/audio/${slug}/call`, undefined],
  ] as const) {
    const { status, headers } = await sendAttack({ path, cookie });
    expect([path, status]).toEqual([path, 200]);
    expect(headers["content-disposition"] ?? "", path).toMatch(
      /^inline; filename="[^"<>]*"; filename\*=UTF-8''[\w.%~!$&+^`|-]*$/,
    );
  }

  const request = makeSameOriginAction("call", SUBMIT_CALL_ACTION, "/calls/record", {
    ...makeCallFields(),
    title: evil("m"),
    description: evil("of an email\r\nBcc: mallory@example.test"),
  });
  expect(parseActionResult(await sendAttack({ ...request, cookie: owner.cookie })).status).toBe(
    "redirect",
  );
  await expect
    .poll(() =>
      server.smtp.emails.some(
        ({ to, subject }) => to.includes(admin.email) && subject.includes("evil7"),
      ),
    )
    .toBe(true);
  for (const email of server.smtp.emails) {
    expect([email.subject, findInjections(email.html)]).toEqual([email.subject, []]);
    expect(email.to).toHaveLength(1);
    expect(email.headerNames).not.toContain("bcc");
    expect(
      email.headerNames.filter((name) => ["to", "from", "subject"].includes(name)),
    ).toHaveLength(3);
  }
});

test("a User-Agent is escaped in the list of sessions", async ({ insertFixture, site: { db } }) => {
  const { owner } = await insertFixture();
  for (const agent of [
    EVIL,
    `Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0 ${EVIL}`,
    "x".repeat(8_000),
    "\u00ff\u00fe",
  ]) {
    const { token } = await writeTo(db.name, (tx) => createDeviceLink(tx, owner.id));
    const request = makeSameOriginAction(
      "call",
      "app/login/device/actions.ts#logInOnDevice",
      "/login/device",
      { token },
    );
    const response = await sendAttack({
      ...request,
      headers: {
        ...request.headers,
        "user-agent": agent,
        "fly-region": '"><i id=evil7>',
      },
    });
    expect(parseActionResult(response).status, agent.slice(0, 60)).toBe("redirect");
  }
  expect(findInjections((await sendAttack({ path: "/me", cookie: owner.cookie })).text)).toEqual(
    [],
  );
  for (const { device, place } of db
    .prepare(
      `SELECT "device", "place" FROM "SessionInfo" JOIN "Session" ON "id" = "sessionId" WHERE "userId" = ?`,
    )
    .all(owner.id) as { device: string; place: string | null }[]) {
    expect(device.length).toBeLessThanOrEqual(120);
    expect(place).toBeNull();
  }
});

test("input from a URL or a header is escaped in every response", async ({ insertFixture }) => {
  const { admin } = await insertFixture();
  const query = encodeURIComponent(EVIL);
  const paths = [
    `/blog?q=${query}`,
    `/blog?topic=${query}`,
    `/blog?q=${query}&page=${query}`,
    `/blog/${query}`,
    `/blog/${query}.md`,
    `/${query}`,
    `/no-such-page?x=${query}`,
    `/login?next=${query}`,
    `/login/confirm?token=${query}&next=${query}`,
    `/login/device?token=${query}`,
    `/login/go?to=${query}`,
    `/calls?page=${query}`,
    `/calls/${query}`,
    `/calls/audio/${query}/call`,
    `/calls/recording/${query}`,
    `/calls/upload/${query}`,
    `/content-file/${query}.png`,
    `/embed-image/${query}`,
    `/reads/token?slug=${query}`,
  ];
  const admins = [
    "",
    "/users",
    "/users/x",
    "/calls",
    "/calls/x",
    "/cache",
    "/content",
    "/deliveries",
    "/log",
    "/reads",
  ].map(
    (page) =>
      `/admin${page}?q=${query}&state=${query}&notice=${query}&key=${query}&instance=${query}&before=${query}&subject=${query}&days=${query}`,
  );
  for (const [list, cookie] of [
    [paths, undefined],
    [[...paths, ...admins], admin.cookie],
  ] as const) {
    for (const path of list) {
      const { text, headers, status } = await sendAttack({
        path,
        cookie,
        headers: {
          referer: `https://lectern.test/${query}`,
          "user-agent": EVIL,
          "accept-language": EVIL,
        },
      });
      const type = headers["content-type"] ?? "";
      if (type.includes("html")) expect([path, findInjections(text)]).toEqual([path, []]);
      else if (text)
        expect([path, headers["x-content-type-options"]], `${status} ${type}`).toEqual([
          path,
          "nosniff",
        ]);
    }
  }
});
