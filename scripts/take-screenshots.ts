// Takes screenshots of every kind of page from the build with example data, into .data/screenshots,
// and makes the README's pictures from them: npm run screenshots

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { type Browser, type BrowserContextOptions, chromium } from "playwright";
import sharp from "sharp";
import { startBuiltSite } from "#tests/support/built-site.ts";
import { chromiumOptions } from "#tests/support/e2e/chromium-options.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";

const FOLDER = join(".data", "screenshots");
const README_FOLDER = "docs";
const SECRET = "only-for-screenshots-0123456789abcdef";

const POST = "/blog/one-door-for-writes";
const PAGES: Readonly<Record<string, string>> = {
  home: "/",
  posts: "/blog",
  search: "/search?q=lease",
  topic: "/blog/topics/sqlite",
  post: POST,
  "post-german": "/blog/no-file-means-two-things-de",
  calls: "/calls",
  teams: "/teams",
  about: "/about",
  counting: "/how-we-count",
  privacy: "/privacy",
  subscribe: "/subscribe",
  login: "/login",
  missing: "/missing",
};
const MEMBER_PAGES: Readonly<Record<string, string>> = {
  "member-post": POST,
  me: "/me",
  record: "/calls/record",
  admin: "/admin",
  "admin-reads": "/admin/reads",
  "admin-users": "/admin/users",
};

const DESKTOP = { width: 1_280, height: 1_000 };
const PHONE = { width: 390, height: 844 };
const VARIANTS = {
  light: { viewport: DESKTOP, colorScheme: "light" },
  dark: { viewport: DESKTOP, colorScheme: "dark" },
  phone: { viewport: PHONE, colorScheme: "light", isMobile: true, deviceScaleFactor: 2 },
  "phone-dark": { viewport: PHONE, colorScheme: "dark", isMobile: true, deviceScaleFactor: 2 },
} satisfies Record<string, BrowserContextOptions>;

const fileOf = (page: string, variant: string) => join(FOLDER, `${page}-${variant}.png`);

interface Cookie {
  readonly name: string;
  readonly value: string;
}

async function takeScreenshots(
  browser: Browser,
  url: string,
  pages: Readonly<Record<string, string>>,
  cookie?: Cookie,
): Promise<void> {
  for (const [variant, options] of Object.entries(VARIANTS)) {
    const context = await browser.newContext({ ...options, reducedMotion: "reduce" });
    if (cookie) await context.addCookies([{ ...cookie, url, httpOnly: true }]);
    const page = await context.newPage();
    for (const [name, path] of Object.entries(pages)) {
      await page.goto(url + path, { waitUntil: "networkidle" });
      await page.evaluate(() => document.fonts.ready);
      await page.screenshot({ path: fileOf(name, variant) });
      if (variant === "light") await printPage(page, name);
    }
    await context.close();
  }
}

/** Saves the page as it is printed. */
async function printPage(page: Awaited<ReturnType<Browser["newPage"]>>, name: string) {
  await page.emulateMedia({ media: "print" });
  await page.screenshot({ path: fileOf(name, "print"), fullPage: true });
  await page.emulateMedia({ media: null });
}

/** Saves one page whose left half is light and whose right half is dark. */
async function joinThemes(page: string, target: string): Promise<void> {
  const half = Math.floor(DESKTOP.width / 2);
  const right = await sharp(fileOf(page, "dark"))
    .extract({ left: half, top: 0, width: DESKTOP.width - half, height: DESKTOP.height })
    .toBuffer();
  await sharp(fileOf(page, "light"))
    .composite([{ input: right, left: half, top: 0 }])
    .png({ palette: true, effort: 10 })
    .toFile(join(README_FOLDER, target));
}

/** Saves pages of a phone side by side. */
async function joinPhones(pages: readonly (readonly [string, string])[], target: string) {
  const gap = 24;
  const width = PHONE.width * pages.length + gap * (pages.length - 1);
  const images = await Promise.all(
    pages.map(async ([page, variant], index) => ({
      input: await sharp(fileOf(page, variant)).resize(PHONE.width).toBuffer(),
      left: index * (PHONE.width + gap),
      top: 0,
    })),
  );
  const background = { r: 0, g: 0, b: 0, alpha: 0 };
  await sharp({ create: { width, height: PHONE.height, channels: 4, background } })
    .composite(images)
    .png({ palette: true, effort: 10 })
    .toFile(join(README_FOLDER, target));
}

/** Makes a member an admin. Returns the cookie of their session. */
async function logInAsAdmin(databaseFile: string): Promise<Cookie> {
  const db = new Database(databaseFile);
  try {
    const id = db
      .prepare(`SELECT "userId" FROM "PostRead" GROUP BY 1 HAVING "userId" NOT NULL LIMIT 1`)
      .pluck()
      .get() as string;
    db.prepare(`UPDATE "User" SET "role" = 'ADMIN' WHERE "id" = ?`).run(id);
    return await insertMemberSession(db, id, SECRET);
  } finally {
    db.close();
  }
}

const dataDir = mkdtempSync(join(tmpdir(), "lectern-screenshots-"));
const env = { DATA_DIR: dataDir, SITE_CONFIG: "site.config.ts", SESSION_SECRET: SECRET };
rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
execFileSync(process.execPath, ["scripts/prepare-database.ts"], {
  env: { ...process.env, ...env, SEED: "on", DATABASE_FILE: "" },
});
const site = await startBuiltSite({ folder: dataDir, env });
const browser = await chromium.launch(chromiumOptions.launchOptions);
try {
  await takeScreenshots(browser, site.url, PAGES);
  await takeScreenshots(browser, site.url, MEMBER_PAGES, await logInAsAdmin(site.databaseFile));
} finally {
  await browser.close();
  await site.stop();
  rmSync(dataDir, { recursive: true, force: true });
}
await joinThemes("post", "post.png");
await joinPhones(
  [
    ["home", "phone"],
    ["calls", "phone-dark"],
    ["teams", "phone"],
  ],
  "phones.png",
);
console.log(`Saved every page in ${FOLDER}, and the README's pictures in ${README_FOLDER}.`);
