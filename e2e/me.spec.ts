// Tests the account page: passkeys, devices, device links and the export.

import { readFileSync } from "node:fs";
import type { BrowserContext, Page } from "@playwright/test";
import { insertMemberSession } from "#tests/support/e2e/member-session.ts";
import { PORT } from "#tests/support/e2e/site-under-test.ts";
import { expectAccessible } from "#tests/support/e2e/accessibility.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";

/**
 * Adds a virtual authenticator that always verifies the user. Returns a function that says whether
 * the user is there: otherwise requests wait.
 */
async function addAuthenticator(context: BrowserContext, page: Page) {
  const cdp = await context.newCDPSession(page);
  await cdp.send("WebAuthn.enable");
  const { authenticatorId } = await cdp.send("WebAuthn.addVirtualAuthenticator", {
    options: {
      protocol: "ctap2",
      transport: "internal",
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  });
  return (isPresent: boolean) =>
    cdp.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled: isPresent });
}

/** Opens the login page, and waits until it offers passkeys in the email field. */
async function openLoginWithAutofill(page: Page, path: string) {
  await page.addInitScript(() => {
    const get = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = (options) => {
      document.documentElement.dataset.mediation = options?.mediation ?? "modal";
      return get(options);
    };
  });
  await page.goto(path);
  await expect(page.locator('html[data-mediation="conditional"]')).toBeAttached();
}

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });
  test("the account page says what passkeys need", async ({ page, logIn }) => {
    await logIn();
    await page.goto("/me");
    await expect(page.getByText("Adding a passkey needs JavaScript.")).toBeVisible();
    await expect(page.getByText("support passkeys")).toHaveCount(0);
  });
});

test(
  "a member adds a passkey, logs out, and logs in with it",
  { tag: "@replica" },
  async ({ page, context, logIn, database }) => {
    const setPresent = await addAuthenticator(context, page);
    const id = await logIn({ firstName: "Hedy" });
    await page.goto("/me");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await expect(page.getByText(/^Passkey added as “Chrome/)).toBeVisible();
    await expect(page.getByText(/not used yet/)).toBeVisible();

    await page.getByRole("button", { name: "Log out", exact: true }).click();
    await expect(page).toHaveURL("/");
    await expect(page.getByRole("link", { name: "Log in" })).toBeVisible();
    expect(
      database.prepare(`SELECT COUNT(*) FROM "Session" WHERE "userId" = ?`).pluck().get(id),
    ).toBe(0);

    await setPresent(false);
    await openLoginWithAutofill(page, "/login?next=/me");
    await setPresent(true);
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await expect(page).toHaveURL("/me");
    await expect(page.getByRole("heading", { level: 1, name: "Hedy" })).toBeVisible();
    await expect(page.getByText(/, last used/)).toBeVisible();

    await page.getByRole("button", { name: "Add a passkey" }).click();
    await expect(page.getByText("You already have a passkey on this device.")).toBeVisible();

    await page.locator("summary").click();
    await page.getByLabel("Name", { exact: true }).fill("The desk");
    await page.getByRole("button", { name: "Rename", exact: true }).click();
    await expect(page.getByText("The desk", { exact: true })).toBeVisible();
    await page.getByRole("button", { name: /^Remove “/ }).click();
    await expect(page.locator(":focus")).toContainText("Passkey removed.");
    expect(
      database.prepare(`SELECT COUNT(*) FROM "Passkey" WHERE "userId" = ?`).pluck().get(id),
    ).toBe(0);
  },
);

test("a passkey chosen in the email field's autofill logs in", async ({ page, context, logIn }) => {
  await addAuthenticator(context, page);
  await logIn({ firstName: "Hedy" });
  await page.goto("/me");
  await page.getByRole("button", { name: "Add a passkey" }).click();
  await expect(page.getByText(/^Passkey added as/)).toBeVisible();
  // Ends what the account page requests, such as options for another passkey.
  await page.goto("about:blank");
  await context.clearCookies();
  // The authenticator answers as if its user had chosen the passkey.
  await page.goto("/login?next=/me");
  await expect(page).toHaveURL("/me");
  await expect(page.getByRole("heading", { level: 1, name: "Hedy" })).toBeVisible();
});

test.describe("a removed passkey", () => {
  test.use({ expectedErrors: ["401"] });

  test("does not log in, and the page says what to do instead", async ({
    page,
    context,
    logIn,
    database,
  }) => {
    const setPresent = await addAuthenticator(context, page);
    const id = await logIn();
    await page.goto("/me");
    await page.getByRole("button", { name: "Add a passkey" }).click();
    await expect(page.getByText(/^Passkey added as/)).toBeVisible();
    await setPresent(false);
    database.prepare(`DELETE FROM "Passkey" WHERE "userId" = ?`).run(id);
    await page.context().clearCookies();
    await openLoginWithAutofill(page, "/login");
    await setPresent(true);
    await page.getByRole("button", { name: "Log in with a passkey" }).click();
    await expect(page.getByText(/We don’t recognize this passkey/)).toBeVisible();
    await page.goto("/me");
    await expect(page).toHaveURL("/login?next=/me");
  });
});

test("a member changes their first name and logs out another device", async ({
  page,
  browser,
  logIn,
  database,
}) => {
  const id = await logIn({ firstName: "Ada" });
  const elsewhere = await browser.newContext();
  await elsewhere.addCookies([
    { ...(await insertMemberSession(database, id)), url: `http://localhost:${PORT}` },
  ]);
  const other = await elsewhere.newPage();
  await other.goto("/me");
  await expect(other.getByRole("heading", { level: 1, name: "Ada" })).toBeVisible();

  await page.goto("/me");
  await page.getByLabel("First name").fill("Augusta");
  await page.getByRole("button", { name: "Save" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "Augusta" })).toBeVisible();
  await expect(page.locator(".form-message-done")).toHaveCount(1);
  await page.getByRole("button", { name: /^Log out unknown device/ }).click();
  await expect(page.locator(":focus")).toContainText("Logged out.");
  await expect(page.getByRole("button", { name: /^Log out unknown device/ })).toHaveCount(0);

  await other.goto("/me");
  await expect(other).toHaveURL("/login?next=/me");
  for (const path of ["/login", "/about"]) {
    await other.goto(path);
    const header = other.getByRole("banner");
    await expect(header.getByRole("link", { name: "Log in" })).toBeVisible();
    await expect(header.getByRole("link", { name: "Account" })).toHaveCount(0);
  }
  await elsewhere.close();
});

test(
  "a QR code logs in another device once, and is hidden after fifteen seconds",
  { tag: "@replica" },
  async ({ page, browser, context, logIn }) => {
    await logIn({ firstName: "Grace" });
    await page.clock.install();
    await page.goto("/me");
    await page.getByRole("button", { name: "Show QR code" }).click();
    await expect(page).toHaveURL("/me/device");
    await expect(page.getByRole("img", { name: /^QR code/ })).toBeVisible();
    const token = (await context.cookies()).find(({ name }) => name === "device-code")!.value;
    expect(await page.content()).not.toContain(token);

    const phone = await browser.newContext({ viewport: { width: 390, height: 844 } });
    const screen = await phone.newPage();
    await screen.goto(`/login/device?token=${token}`);
    await expect(
      screen.getByRole("heading", { name: "Log in as Grace on this device" }),
    ).toBeVisible();
    // Opening the page does not consume the link.
    await screen.reload();
    await screen.getByRole("button", { name: "Log in as Grace" }).click();
    await expect(screen).toHaveURL("/me");
    await expect(screen.getByRole("heading", { level: 1, name: "Grace" })).toBeVisible();
    // A login by a device link does not count as recent.
    await expect(screen.getByRole("button", { name: "Add a passkey" })).toHaveCount(0);

    await screen.goto(`/login/device?token=${token}`);
    await expect(screen.getByRole("heading", { name: "This code has expired" })).toBeVisible();
    await phone.close();

    await page.clock.runFor(16_000);
    await expect(page.getByText(/^Code hidden\./)).toBeVisible();
    await expect(page.getByRole("img", { name: /^QR code/ })).toHaveCount(0);
    await page.getByRole("button", { name: "Show new QR code" }).click();
    await expect(page.getByRole("img", { name: /^QR code/ })).toBeVisible();
  },
);

test("a member downloads their data", async ({ page, logIn }) => {
  const id = await logIn({ firstName: "Barbara" });
  await page.goto("/me");
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("link", { name: "Download my data" }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^my-data-.*\.json$/);
  expect(JSON.parse(readFileSync(await download.path(), "utf8"))).toMatchObject({
    user: { id, firstName: "Barbara" },
    calls: [],
    reads: [],
  });
});

test("a member deletes their account by typing the word", async ({ page, logIn, database }) => {
  const id = await logIn();
  await page.goto("/me");
  await page.getByRole("link", { name: "Delete account" }).click();
  await page.getByLabel(/^Type/).fill("perhaps");
  await page.getByRole("button", { name: "Delete account" }).click();
  await expect(page.getByLabel(/^Type/)).toBeFocused();
  await expect(page.getByLabel(/^Type/)).toHaveValue("perhaps");
  await page.getByLabel(/^Type/).fill("delete");
  await page.getByRole("button", { name: "Delete account" }).click();
  await expect(page).toHaveURL("/goodbye");
  await expect(page.getByRole("link", { name: "Log in" })).toBeVisible();
  expect(database.prepare(`SELECT COUNT(*) FROM "User" WHERE "id" = ?`).pluck().get(id)).toBe(0);
  await page.goto("/me");
  await expect(page).toHaveURL("/login?next=/me");
  await page.context().clearCookies({ name: "notice" });
  await page.goto("/goodbye");
  await expect(page).toHaveURL("/");
});

test("deleting an account requires a recent login", async ({ page, logIn, serverClock }) => {
  await logIn();
  await serverClock.forward(16 * 60_000);
  await page.goto("/me/delete");
  await expect(page.getByRole("button", { name: "Delete account" })).toHaveCount(0);
  await expect(page.getByRole("link", { name: "Log in again" })).toHaveAttribute(
    "href",
    "/login?next=/me/delete",
  );
});

test("the account pages have no accessibility violation", async ({ page, logIn, database }) => {
  test.setTimeout(90_000);
  const id = await logIn({ role: "ADMIN" });
  database
    .prepare(
      `INSERT INTO "Passkey" ("id", "userId", "publicKey", "counter", "transports", "name", "createdAt") VALUES (?, ?, x'00', 0, '', 'Old phone', ?)`,
    )
    .run(`key-of-${id}`, id, Date.now());
  await insertMemberSession(database, id);
  // Opened without a code, the page says what it is for.
  await page.goto("/me/device");
  await expect(page.getByRole("button", { name: "Show QR code" })).toBeVisible();
  await expect(page.getByText(/expired/)).toHaveCount(0);
  await expectAccessible(page, "/me/device without a code");
  await page.goto("/me");
  await page.locator("summary").click();
  await expectAccessible(page, "/me");
  await page.getByRole("button", { name: "Show QR code" }).click();
  await expect(page.getByRole("img", { name: /^QR code/ })).toBeVisible();
  await expectAccessible(page, "/me/device");
  for (const path of ["/me/delete", "/login/device?token=x"]) {
    await page.goto(path);
    await expectAccessible(page, path);
  }
});

test.describe("a page that fails", () => {
  test.use({ expectedErrors: ["500", "React error #441"] });
  test("loads only once, and “Try again” shows it when it works again", async ({
    page,
    database,
    logIn,
  }) => {
    await logIn({ firstName: "Grace" });
    database.exec(`ALTER TABLE "SavedPost" RENAME TO "Renamed"`);
    try {
      let documents = 0;
      page.on("request", (request) => {
        if (request.isNavigationRequest()) documents += 1;
      });
      await page.goto("/me");
      await expect(page.getByRole("heading", { name: "Something went wrong." })).toBeVisible();
      // Effects have run by the time the header's search works.
      await page.keyboard.press("Control+K");
      await expect(page.getByRole("dialog")).toBeVisible();
      await page.keyboard.press("Escape");
      expect(documents).toBe(1);
    } finally {
      database.exec(`ALTER TABLE "Renamed" RENAME TO "SavedPost"`);
    }
    await page.getByRole("button", { name: "Try again" }).click();
    await expect(page.getByRole("heading", { name: "Grace" })).toBeVisible();
  });
});
