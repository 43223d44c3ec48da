// Tests login and sign-up by email. e2e/journeys/member.spec.ts tests both without JavaScript.

import type { BrowserContext, Page } from "@playwright/test";
import { expectAccessible } from "#tests/support/e2e/accessibility.ts";
import { expect, test } from "#tests/support/e2e/fixtures.ts";
import { IS_CLUSTER } from "#tests/support/e2e/site-under-test.ts";

const MINUTE_MS = 60_000;
const POST = { slug: "a-day-is-not-a-moment", path: "/blog/a-day-is-not-a-moment" };

type Email = { text: string };
const linkIn = ({ text }: Email) => /http:\S+\/login\/confirm\S+/.exec(text)?.[0] ?? "";
const codeIn = ({ text }: Email) => /^\d{6}$/m.exec(text)?.[0] ?? "";

// Rate limits of earlier tests from this machine must have expired.
test.beforeEach(({ serverClock }) => serverClock.forward(120 * MINUTE_MS));

async function requestEmail(page: Page, email: string, next = "") {
  await page.goto(`/login${next && `?next=${encodeURIComponent(next)}`}`);
  await page.getByLabel("Email address").fill(email);
  await page.getByRole("button", { name: "Email me a login link" }).click();
  await expect(page).toHaveURL(/\/login\/code$/);
  await expect(page.getByText(email)).toBeVisible();
}

const logInButton = (page: Page) =>
  page.getByRole("main").getByRole("button", { name: "Log in", exact: true });

async function typeCode(page: Page, code: string) {
  await page.getByLabel("6-digit code").fill(code);
  await logInButton(page).click();
}

async function signUp(page: Page, firstName: string, team: string) {
  await expect(page).toHaveURL(/\/signup$/);
  await page.getByLabel("First name").fill(firstName);
  await page.getByRole("radio", { name: new RegExp(`^${team}`) }).check();
  await page.getByRole("button", { name: "Create account" }).click();
}

const isLoggedIn = async (context: BrowserContext) =>
  (await context.cookies()).some(({ name }) => name === "session");

test(
  "a reader signs up by email, joins a team, and their read moves its standing",
  { tag: "@replica" },
  async ({ page, context, database, serverClock, waitForEmail }) => {
    await requestEmail(page, "ada.signs.up@example.test", POST.path);
    const sentEmail = await waitForEmail("ada.signs.up@example.test");
    expect(sentEmail.subject).toMatch(/^\d{6} is your Lectern login code$/);
    await page.goto(linkIn(sentEmail));
    await logInButton(page).click();
    await signUp(page, "Ada", "Yellow");
    await expect(page).toHaveURL(POST.path);
    await expect(page.getByRole("banner").getByRole("link", { name: "Account" })).toBeVisible();
    expect(
      (await context.cookies())
        .filter(({ name }) => name !== "passkey") // of the login page, for five minutes
        .map(({ name, httpOnly, sameSite }) => [name, httpOnly, sameSite])
        .sort(),
    ).toEqual([
      ["session", true, "Lax"],
      ...(IS_CLUSTER ? [["txid", true, "Lax"]] : []),
      ["visit", true, "Lax"],
    ]);
    const { id } = database
      .prepare(
        `SELECT "id" FROM "User" WHERE "email" = 'ada.signs.up@example.test' AND "firstName" = 'Ada' AND "team" = 'YELLOW' AND "role" = 'MEMBER'`,
      )
      .get() as { id: string };

    await expect(page.getByText(/^No team is leading this post yet\./)).toBeVisible();
    await page.clock.install();
    const token = page.waitForResponse((response) => response.url().includes("/reads/token"));
    await page.goto(POST.path);
    await token;
    await page.locator("[data-article-end]").scrollIntoViewIfNeeded();
    await serverClock.forward(20 * MINUTE_MS);
    const beacon = page.waitForResponse((response) => response.url().endsWith("/reads"));
    // The time that the read takes, and less than the timeout of its request.
    await page.clock.runFor(4 * MINUTE_MS);
    expect((await beacon).status()).toBe(204);
    expect(
      database.prepare(`SELECT "userId" FROM "PostRead" WHERE "postSlug" = ?`).all(POST.slug),
    ).toEqual([{ userId: id }]);
    await page.reload();
    // The number of active members depends on earlier tests.
    await expect(
      page.getByText(/Yellow leads this post with \d\.\d\d reads per active member\./),
    ).toBeVisible();
    await expect(page.locator("[data-leading-team=YELLOW]").first()).toBeAttached();
  },
);

test("a member logs in with the code; a wrong one says how many attempts are left", async ({
  page,
  context,
  database,
  waitForEmail,
  logIn,
}) => {
  const userId = await logIn({ firstName: "Bob" });
  await context.clearCookies();
  const { email } = database.prepare(`SELECT "email" FROM "User" WHERE "id" = ?`).get(userId) as {
    email: string;
  };
  await requestEmail(page, email, "/teams");
  const code = codeIn(await waitForEmail(email));
  await typeCode(page, "12345");
  await expect(page.getByText("Enter all six digits.")).toBeVisible();
  await typeCode(page, String((Number(code) + 1) % 1_000_000).padStart(6, "0"));
  await expect(page.getByText("Wrong code. 4 attempts left.").first()).toBeVisible();
  await expect(
    page.getByRole("main").getByRole("alert").filter({ hasText: "Wrong code. 4 attempts left." }),
  ).toHaveCount(1);
  await expect(page.getByLabel("6-digit code")).toBeFocused();
  await typeCode(page, `${code.slice(0, 3)} ${code.slice(3)}`);
  await expect(page).toHaveURL("/teams");
  expect(await isLoggedIn(context)).toBe(true);
  await page.goto("/login");
  await expect(page.getByText("You’re logged in as Bob.")).toBeVisible();
  const [before] = (await context.cookies()).filter(({ name }) => name === "session");
  await requestEmail(page, email);
  await typeCode(page, codeIn(await waitForEmail(email)));
  await expect(page).toHaveURL(/\/me$/);
  expect((await context.cookies()).find(({ name }) => name === "session")?.value).not.toBe(
    before?.value,
  );
  expect(
    database.prepare(`SELECT COUNT(*) AS n FROM "Session" WHERE "userId" = ?`).get(userId),
  ).toEqual({ n: 2 });
});

test("opening the link changes nothing, and in another browser it asks for the code", async ({
  page,
  context,
  browser,
  request,
  database,
  waitForEmail,
  logIn,
}) => {
  const userId = await logIn();
  await context.clearCookies();
  const { email } = database.prepare(`SELECT "email" FROM "User" WHERE "id" = ?`).get(userId) as {
    email: string;
  };
  await requestEmail(page, email, "/about");
  const sentEmail = await waitForEmail(email);
  const rows = () =>
    database.prepare(`SELECT * FROM "LoginChallenge" WHERE "email" = ?`).all(email);
  const before = rows();
  for (let i = 0; i < 5; i++) {
    const response = await request.get(linkIn(sentEmail));
    expect([response.status(), response.headers()["cache-control"]]).toEqual([
      200,
      "private, no-store",
    ]);
    expect(response.headers()["set-cookie"]).toBeUndefined();
  }
  await page.goto(linkIn(sentEmail));
  expect(rows()).toEqual(before);
  await expect(page.locator('meta[name="robots"]')).toHaveAttribute("content", /noindex/);

  const elsewhere = await browser.newContext();
  const phone = await elsewhere.newPage();
  await phone.goto(linkIn(sentEmail));
  await expect(phone.getByText("You opened this link in a different browser.")).toBeVisible();
  await expect(phone.getByText(email)).toHaveCount(0);
  await typeCode(phone, codeIn(sentEmail));
  await expect(phone).toHaveURL("/about");
  expect(await isLoggedIn(elsewhere)).toBe(true);
  await elsewhere.close();

  // The phone has used the link.
  await logInButton(page).click();
  await expect(page.getByRole("heading", { name: "This link has expired" })).toBeVisible();
  await expect(page.getByRole("link", { name: "Send a new email" })).toBeVisible();
  expect(await isLoggedIn(context)).toBe(false);
});

test("the team can be chosen with the keyboard, and a refused form keeps its input", async ({
  page,
  waitForEmail,
  database,
}) => {
  await requestEmail(page, "keys@example.test");
  await page.goto(linkIn(await waitForEmail("keys@example.test")));
  await logInButton(page).press("Enter");
  await expect(page).toHaveURL(/\/signup$/);
  const name = page.getByLabel("First name");
  // Like a browser without client-side validation.
  await name.evaluate((field: HTMLInputElement) => (field.form!.noValidate = true));
  await name.fill("Grace");
  await name.press("Enter");
  await expect(page.getByText("Choose one of the three teams.")).toBeVisible();
  await expect(name).toHaveValue("Grace");
  const radios = page.getByRole("radio", { name: /^(Red|Blue|Yellow)/ });
  const order = await radios.evaluateAll((all: HTMLInputElement[]) =>
    all.map(({ value }) => value),
  );
  expect([...order].sort()).toEqual(["BLUE", "RED", "YELLOW"]);
  await radios.first().focus();
  await page.keyboard.press("ArrowDown");
  await expect(radios.nth(1)).toBeChecked();
  await name.fill("");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(name).toHaveAttribute("aria-invalid", "true");
  await expect(radios.nth(1)).toBeChecked();
  expect(
    await radios.evaluateAll((all: HTMLInputElement[]) => all.map(({ value }) => value)),
  ).toEqual(order);
  await name.fill("Grace");
  await page.getByRole("button", { name: "Create account" }).click();
  await expect(page).toHaveURL(/\/me\?welcome$/);
  expect(
    database
      .prepare(`SELECT "firstName", "team" FROM "User" WHERE "email" = 'keys@example.test'`)
      .all(),
  ).toEqual([{ firstName: "Grace", team: order[1] }]);
  // A completed sign-up can't start again.
  await page.goto("/signup");
  await expect(page).toHaveURL(/\/me$/);
});

test("the login pages have no accessibility violation", async ({ page, waitForEmail }) => {
  test.setTimeout(120_000);
  const check = () => expectAccessible(page, page.url());
  await page.goto("/login");
  await check();
  await page.goto("/login/confirm?token=forged");
  await check();
  await requestEmail(page, "axe@example.test");
  await check();
  await typeCode(page, "12345");
  await expect(page.getByText("Enter all six digits.")).toBeVisible();
  await check();
  await page.goto(linkIn(await waitForEmail("axe@example.test")));
  await check();
  await logInButton(page).click();
  await expect(page).toHaveURL(/\/signup$/);
  await check();
  await page.getByRole("radio", { name: /^Red/ }).check();
  await check();
});

test.describe("with a mail server", () => {
  test.use({ expectedErrors: ["404"] });
  test("the local mailbox is not found", async ({ page, logIn }) => {
    for (const path of ["/dev/mail", "/dev/mail/secret"])
      expect((await page.goto(path))?.status()).toBe(404);
    await logIn({ role: "ADMIN" });
    expect((await page.goto("/dev/mail/secret"))?.status()).toBe(404);
  });
});
