// Tests that no page scrolls horizontally on a narrow screen, whatever its text: every kind of page
// with long words, names, addresses and code.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { measureOverflow } from "#tests/support/e2e/accessibility.ts";
import { SECRET } from "#tests/support/e2e/site-under-test.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { type BuiltSite, startBuiltSite } from "#tests/support/built-site.ts";
import {
  insertAnswer,
  insertCall,
  insertEpisode,
  insertPasskey,
  insertRead,
  insertUser,
} from "#tests/support/factories.ts";
import { writeSiteConfig } from "#tests/support/override-site-config.ts";
import { createSql } from "#lib/db/connection.ts";

const WIDTHS = [320, 390];
const NAME = "CONTENT_GIT_REPOSITORY";
const WORD = "Donaudampfschifffahrtsgesellschaftskapitänsmützenabzeichen";
const HASH = "0123456789abcdef".repeat(8);
const LONG_URL = `https://example.com/${HASH}?${HASH}`;
const CODE = "`" + "const_with_a_name_".repeat(6) + "`";

const POST = `---
title: Setting ${NAME} and ${WORD}
date: 2026-11-01
description: About ${HASH} and ${WORD}.
categories: [${"Kategorie".repeat(4)}]
bannerCredit: ${HASH}
translations: [{ language: ${"Sprache".repeat(4)}, link: "${LONG_URL}" }]
---

import { Demo } from "./demo"

${WORD}${WORD} ${CODE} ${LONG_URL} **${HASH}** [${HASH}](/x)

## Setting ${CODE} in ${HASH}

### ${WORD}${WORD}

- ${HASH}
  - ${HASH}
    - ${HASH}
      1. ${HASH}

> ${HASH}
>
> > ${HASH}

| ${WORD} | ${HASH} | ${CODE} |
| --- | --- | --- |
| ${HASH} | ${WORD} | ${CODE} |

<table><tbody><tr><td>${HASH}</td><td>${HASH}</td></tr></tbody></table>

\`\`\`ts filename=${"a-long-file-name-".repeat(8)}.ts
${"const x = 1; ".repeat(30)}
\`\`\`

<pre>${HASH.repeat(2)}</pre>

Text with a footnote[^1], <kbd>${HASH}</kbd>, <abbr title="x">${HASH}</abbr> and H~${HASH}~.

[^1]: ${HASH} ${LONG_URL}

<Callout kind="tip" title="${WORD} ${HASH}">
  ${HASH} ${CODE}
</Callout>

<Tabs>
  <Tab label="${HASH}">${HASH}</Tab>
  <Tab label="${WORD}">

\`\`\`sh
${"npm run ".repeat(40)}
\`\`\`

  </Tab>
</Tabs>

<Steps>

1. ${HASH}

   \`\`\`sh
   ${"npm run ".repeat(40)}
   \`\`\`

2. ${WORD}${WORD}

</Steps>

<FileTree>

- ${HASH}
  - ${HASH}.ts

</FileTree>

<details><summary>${HASH}</summary>${HASH}</details>

<YouTube id="dQw4w9WgXcQ" title="${HASH}" />

<SubscribeForm />

<Demo text="${HASH}" />

<dl><dt>${HASH}</dt><dd>${HASH}</dd></dl>

<figure><img src="/missing.png" alt="${HASH}" /><figcaption>${HASH}</figcaption></figure>

![${HASH}](/missing.png)

$$
${"a + ".repeat(60)} b
$$

<video controls width="2000" src="/missing.mp4"></video>

<div style="width: 100%">${HASH}</div>
`;
const DEMO = `import { useState } from "react";
export function Demo({ text }) {
  const [count, setCount] = useState(0);
  return <p><button type="button" onClick={() => setCount(count + 1)}>{text} {count}</button> {text}</p>;
}
`;

let site: BuiltSite;
let folder: string;
let memberCookie: { name: string; value: string };
let privatePaths: string[];

/** Inserts an admin with rows of every kind whose text is as long as the site allows. */
async function insertHostileRows(databaseFile: string): Promise<void> {
  const db = new Database(databaseFile);
  const sql = createSql(db);
  const firstName = "M".repeat(60);
  const email = `${"m".repeat(64)}@${"example.".repeat(20)}test`;
  const admin = insertUser(sql, { role: "ADMIN", firstName, email });
  insertPasskey(sql, {
    id: HASH,
    userId: admin.id,
    publicKey: new Uint8Array(64),
    name: "k".repeat(60),
  });
  const texts = { title: HASH.slice(0, 80), description: `${HASH}${HASH}`, keywords: HASH };
  const calls = [1, 2, 3].map(() => insertCall(sql, { userId: admin.id, ...texts }));
  insertAnswer(sql, { callId: calls[0]!.id, audio: new Uint8Array(64) });
  insertEpisode(sql, {
    callId: calls[0]!.id,
    ...texts,
    slug: "an-episode",
    callerName: firstName,
    transcript: HASH.repeat(4),
  });
  db.prepare(`UPDATE "CallReview" SET "state" = 'PUBLISHED' WHERE "callId" = ?`).run(calls[0]!.id);
  insertRead(sql, { userId: admin.id, postSlug: HASH.slice(0, 100) });
  insertRead(sql, { userId: admin.id, postSlug: "hostile" });
  db.prepare(`INSERT INTO "DailyViews" VALUES (?, 'hostile', ?, 1000000, 999999)`).run(
    Math.floor(Date.now() / 86_400_000),
    `${"h".repeat(60)}.example`,
  );
  db.prepare(
    `INSERT INTO "Delivery" ("createdAt", "kind", "about", "payload", "tries", "lastError") VALUES (?, 'MAIL', ?, ?, 8, ?)`,
  ).run(
    Date.now(),
    HASH,
    JSON.stringify({ kind: "MAIL", mail: { to: email, subject: HASH, parts: [HASH] } }),
    HASH,
  );
  db.prepare(
    `INSERT INTO "AuditEvent" ("createdAt", "actorId", "action", "subjectId", "detail") VALUES (?, ?, 'member.role', ?, ?)`,
  ).run(Date.now(), admin.id, admin.id, JSON.stringify({ email, reason: HASH }));
  memberCookie = await insertMemberSession(db, admin.id, SECRET);
  privatePaths = [
    `/admin/users/${admin.id}`,
    `/admin/calls/${calls[0]!.id}`,
    `/admin/calls/${calls[1]!.id}`,
  ];
  db.close();
}

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lectern-narrow-"));
  const blog = join(folder, "content", "blog");
  mkdirSync(join(blog, "hostile"), { recursive: true });
  mkdirSync(join(folder, "content", "pages"));
  writeFileSync(join(blog, "hostile", "index.mdx"), POST);
  writeFileSync(join(blog, "hostile", "demo.jsx"), DEMO);
  writeFileSync(
    join(folder, "content", "pages", "about.mdx"),
    `---\ntitle: ${HASH}\ndescription: ${HASH}\n---\n\n${HASH} ${CODE}\n`,
  );
  for (let i = 0; i < 5; i++)
    writeFileSync(
      join(blog, `other-${i}.mdx`),
      `---\ntitle: ${NAME} ${i} ${WORD}\ndate: 2026-10-0${i + 1}\ndescription: ${HASH}\ncategories: [${"Kategorie".repeat(4)}, ${WORD}]\n---\n\n${HASH}\n`,
    );
  const link = { label: "L".repeat(60), url: "/blog" };
  const profile = { ...link, url: LONG_URL };
  site = await startBuiltSite({
    folder,
    env: {
      CONTENT_DIR: join(folder, "content"),
      SESSION_SECRET: SECRET,
      SITE_CONFIG: writeSiteConfig({
        name: WORD,
        description: HASH,
        author: { name: WORD, bio: HASH, email: `${"m".repeat(64)}@example.com`, links: [profile] },
        home: { title: `${WORD}${NAME}`, intro: HASH },
        header: { links: [link, link] },
        footer: { links: [link, link], text: HASH },
        social: [profile],
        license: { name: "L".repeat(80), url: LONG_URL },
        discussUrl: "https://example.com/{slug}",
        editUrl: "https://example.com/{path}",
        teams: { RED: { name: "R".repeat(20), tagline: HASH } },
        podcast: { title: HASH.slice(0, 100), directories: [profile] },
      }),
    },
  });
  await insertHostileRows(site.databaseFile);
});
test.afterAll(async () => {
  await site.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Returns the elements that are wider than the screen and not inside a box that scrolls. */
const findWideElements = () =>
  [...document.querySelectorAll("body *")]
    .filter((element) => {
      if (element.getBoundingClientRect().right <= innerWidth + 1) return false;
      for (let box = element.parentElement; box; box = box.parentElement)
        if (getComputedStyle(box).overflowX !== "visible") return false;
      return true;
    })
    .map((element) => `${element.tagName.toLowerCase()}.${element.className}`)
    .slice(0, 5);

/** Returns the names of admin tables that scroll sideways. */
const findCutTables = () =>
  [...document.querySelectorAll(".admin .table-frame")]
    .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth)
    .map(({ ariaLabel }) => ariaLabel);

test.describe("no page scrolls sideways", () => {
  test.use({ expectedErrors: ["404", "Failed to load resource"] });
  const publicPaths = [
    "/",
    "/blog",
    `/blog?q=${HASH}`,
    "/blog?q=CONTENT",
    "/search?q=CONTENT",
    `/blog/topics/${"kategorie".repeat(4)}`,
    "/blog/archive/2026",
    "/blog/hostile",
    "/blog/other-1",
    "/about",
    "/how-we-count",
    "/teams",
    "/calls",
    "/calls/an-episode",
    "/calls/subscribe",
    "/login",
    `/${HASH}`,
  ];
  const memberPaths = [
    "/",
    "/blog/hostile",
    "/me",
    "/me/history",
    "/me/delete",
    "/me/device",
    "/calls/mine",
    "/calls/record",
    "/admin",
    "/admin/posts",
    "/admin/posts/hostile",
    "/admin/users",
    "/admin/calls",
    "/admin/content",
    "/admin/cache",
    "/admin/cluster",
    "/admin/reads",
    "/admin/reads?slug=hostile",
    "/admin/deliveries",
    "/admin/log",
  ];
  for (const kind of ["guests", "admins"] as const)
    test(`to ${kind}`, async ({ page, context }) => {
      test.setTimeout(120_000);
      if (kind === "admins") await context.addCookies([{ ...memberCookie, url: site.url }]);
      const wide: string[] = [];
      await page.setViewportSize({ width: WIDTHS[0]!, height: 800 });
      await page.goto(site.url);
      const [name, search] = await Promise.all(
        [".wordmark", ".search-link"].map((selector) => page.locator(selector).boundingBox()),
      );
      // The search stays in the first line.
      expect(search!.y + search!.height / 2).toBeLessThan(name!.y + name!.height);
      for (const path of kind === "guests" ? publicPaths : [...memberPaths, ...privatePaths])
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 800 });
          if (width === WIDTHS[0]) await page.goto(site.url + path);
          const cutTables = await page.evaluate(findCutTables);
          if (cutTables.length > 0) wide.push(`${path} cuts ${cutTables} at ${width}`);
          const overflow = await measureOverflow(page);
          if (overflow > 0)
            wide.push(
              `${path} by ${overflow} px at ${width}: ${(await page.evaluate(findWideElements)).join(" ")}`,
            );
        }
      expect(wide).toEqual([]);
      if (kind === "guests") return;
      await page.goto(`${site.url}/admin`);
      const count = page.locator(".attention strong").first();
      const { height } = (await count.boundingBox())!;
      await count.evaluate((element) => (element.textContent = "1006"));
      expect((await count.boundingBox())!.height, "a large count is on one line").toBe(height);
    });
});
