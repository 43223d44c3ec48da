// Follows a member without JavaScript: they sign up by email, save a post, manage their account, log in
// on a phone, and delete the account.

import type { Page } from "@playwright/test";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";

const MINUTE_MS = 60_000;
const EMAIL = "plain@example.test";
const POST = "/blog/a-tour-of-the-code";

test.use({ javaScriptEnabled: false });

// Rate limits of earlier tests from this machine must have expired.
test.beforeEach(({ serverClock }) => serverClock.forward(120 * MINUTE_MS));

const codeIn = ({ text }: { text: string }) => /^\d{6}$/m.exec(text)?.[0] ?? "";

async function requestEmail(page: Page) {
  await page.getByLabel("Email address").fill(EMAIL);
  await page.getByRole("button", { name: "Email me a login link" }).click();
  await expect(page).toHaveURL(/\/login\/code$/);
}

const logInButton = (page: Page) =>
  page.getByRole("main").getByRole("button", { name: "Log in", exact: true });

async function typeCode(page: Page, code: string) {
  await page.getByLabel("6-digit code").fill(code);
  await logInButton(page).click();
}

test(
  "a reader becomes a member, saves a post, logs in by code and QR code, and leaves",
  { tag: "@replica" },
  async ({ page, browser, context, database, waitForEmail }) => {
    test.setTimeout(90_000);
    // A guest who wants to save a post signs up, and returns to it.
    await page.goto(POST);
    await page.getByRole("link", { name: "Save for later" }).click();
    await expect(page).toHaveURL(`/login?next=${encodeURIComponent(POST)}`);
    await requestEmail(page);
    const firstEmail = await waitForEmail(EMAIL);
    await typeCode(page, codeIn(firstEmail) === "000000" ? "000001" : "000000");
    await expect(page.getByText("Wrong code. 4 attempts left.").first()).toBeVisible();
    await page.goto(/http:\S+\/login\/confirm\S+/.exec(firstEmail.text)![0]);
    await logInButton(page).click();
    await expect(page).toHaveURL(/\/signup$/);
    await page.getByLabel("First name").fill("Plain");
    await page.getByRole("radio", { name: /^Blue/ }).check();
    await page.getByRole("button", { name: "Create account" }).click();
    await expect(page).toHaveURL(POST);
    const { id, team } = database
      .prepare(`SELECT "id", "team" FROM "User" WHERE "email" = ?`)
      .get(EMAIL) as { id: string; team: string };
    expect(team).toBe("BLUE");

    const save = page.getByRole("button", { name: /^Save/ });
    await save.click();
    await expect(page.getByRole("button", { name: /^Saved/ })).toBeVisible();
    await save.click();
    await expect(page.getByRole("button", { name: /^Save for later/ })).toBeVisible();
    await save.click();
    await page.goto("/me");
    const saved = page.getByRole("region", { name: "Saved posts" });
    await expect(saved.getByRole("link")).toHaveAttribute("href", POST);
    await saved.getByRole("button").click();
    await expect(saved.getByRole("link")).toHaveCount(0);

    // The page accepts the code of the latest email.
    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await page.goto("/login");
    await requestEmail(page);
    await page.getByRole("button", { name: "Resend" }).click();
    await expect(page).toHaveURL(/\/login\/code\?again$/);
    await expect
      .poll(() =>
        database
          .prepare(`SELECT COUNT(*) FROM "LoginChallenge" WHERE "email" = ? AND "usedAt" IS NULL`)
          .pluck()
          .get(EMAIL),
      )
      .toBe(2);
    await typeCode(page, codeIn(await waitForEmail(EMAIL)));
    await expect(page).toHaveURL(/\/me$/);

    await insertMemberSession(database, id);
    database
      .prepare(
        `INSERT INTO "Passkey" ("id", "userId", "publicKey", "counter", "transports", "name", "createdAt") VALUES (?, ?, x'00', 0, '', 'Old phone', ?)`,
      )
      .run(`key-of-${id}`, id, Date.now());
    await page.goto("/me");
    await page.getByLabel("First name").fill("a".repeat(61));
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByLabel("First name")).toHaveAttribute("aria-invalid", "true");
    await page.getByLabel("First name").fill("Wybe");
    await page.getByRole("button", { name: "Save" }).click();
    await expect(page.getByRole("heading", { level: 1, name: "Wybe" })).toBeVisible();
    await page
      .getByRole("button", { name: /^Log out unknown device/ })
      .first()
      .click();
    await expect(page.getByText("Logged out.", { exact: true })).toBeVisible();
    await page.goto("/me");
    await page.locator("summary").click();
    await page.getByRole("button", { name: "Remove “Old phone”" }).click();
    await expect(page.getByText("Passkey removed.")).toBeVisible();

    await page.getByRole("button", { name: "Show QR code" }).click();
    await expect(page.getByRole("img", { name: /^QR code/ })).toBeVisible();
    const token = (await context.cookies()).find(({ name }) => name === "device-code")!.value;
    const phone = await browser.newContext({ javaScriptEnabled: false });
    const screen = await phone.newPage();
    await screen.goto(`/login/device?token=${token}`);
    await screen.getByRole("button", { name: "Log in as Wybe" }).click();
    await expect(screen).toHaveURL("/me");
    await screen.getByRole("button", { name: "Log out", exact: true }).click();
    await expect(screen).toHaveURL("/");
    await phone.close();

    await page.goto("/me/delete");
    await page.getByLabel(/^Type/).fill("Wybe");
    await page.getByRole("button", { name: "Delete account" }).click();
    await expect(page).toHaveURL("/goodbye");
    expect(database.prepare(`SELECT COUNT(*) FROM "User" WHERE "id" = ?`).pluck().get(id)).toBe(0);
  },
);
