// Tests expired pages and writes without a primary: form input survives, with and without scripts.

import type { Page, Response } from "@playwright/test";
import type { Cluster } from "#cli/cluster/cluster.ts";
import { expect, test } from "#tests/support/cluster/fixtures.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";

const EMAIL = "somebody@example.test";
const email = (page: Page) => page.getByLabel("Email address");
const press = (page: Page) => page.getByRole("button", { name: "Email me a login link" }).click();

/** Returns an action id of the same length that this build doesn't have. */
const otherId = (id: string) =>
  id.slice(0, 2) +
  [...id.slice(2)].map((digit) => (15 - parseInt(digit, 16)).toString(16)).join("");

async function openLogin(page: Page, cluster: Cluster) {
  await page.goto(`${cluster.getEdgeUrl("ams")}/login`);
  await email(page).fill(EMAIL);
}

/** React shows this button once it has hydrated the page. Before, the browser itself sends the form. */
const waitUntilHydrated = (page: Page) =>
  expect(page.getByRole("button", { name: "Log in with a passkey" })).toBeVisible();

/** The login page also requests a passkey's options with POST. */
const isFormResponse = (response: Response) =>
  response.request().method() === "POST" && !response.url().endsWith("/options");

test("a page of an earlier version says that the site has changed, and keeps the input", async ({
  cluster,
  page,
}) => {
  await openLogin(page, cluster);
  await waitUntilHydrated(page);
  await page.route("**/login", async (route) => {
    const headers = route.request().headers();
    const id = headers["next-action"];
    await route.continue(id ? { headers: { ...headers, "next-action": otherId(id) } } : {});
  });
  const answer = page.waitForResponse(isFormResponse);
  await press(page);
  expect((await answer).status()).toBe(409);
  await expect(page.getByRole("alert").filter({ hasText: "The site was updated." })).toBeVisible();
  await expect(email(page)).toHaveValue(EMAIL);
});

test.describe("without JavaScript", () => {
  test.use({ javaScriptEnabled: false });

  test("a form of an earlier version gets its input back, with a link to the new page", async ({
    cluster,
    page,
  }) => {
    await openLogin(page, cluster);
    await page
      .locator('input[name$=":0"][name^="$ACTION_"]')
      .first()
      .evaluate((input: HTMLInputElement) => {
        const { id, bound } = JSON.parse(input.value) as { id: string; bound: unknown };
        const other =
          id.slice(0, 2) +
          [...id.slice(2)].map((digit) => (15 - parseInt(digit, 16)).toString(16)).join("");
        input.value = JSON.stringify({ id: other, bound });
      });
    await email(page).evaluate((input: HTMLInputElement) => {
      input.type = "text";
      input.value = `"><b>${input.value}</b>`;
    });
    const answer = page.waitForResponse(isFormResponse);
    await press(page);
    expect((await answer).status()).toBe(409);
    await expect(page.getByRole("heading", { level: 1 })).toHaveText(
      "The site has changed since this page was loaded.",
    );
    await expect(page.getByLabel("email")).toHaveValue(`"><b>${EMAIL}</b>`);
    await expect(page.getByRole("textbox")).toHaveCount(1);
    await page.getByRole("link", { name: "load the page again" }).click();
    await expect(email(page)).toBeVisible();
  });

  test("a form that ams rendered works on every node", async ({ cluster, page, smtp }) => {
    await page.goto(`${cluster.getNode("ams-1").url}/login`);
    const hidden = await page
      .locator('form:has([name="email"]) input[type=hidden]')
      .evaluateAll((all: HTMLInputElement[]) =>
        all.map(({ name, value }) => [name, value] as const),
      );
    expect(hidden.map(([name]) => name)).toContain("$ACTION_KEY");
    const primary = await cluster.waitForPrimary();
    for (const node of cluster.nodes.values()) {
      const form = new FormData();
      for (const [name, value] of hidden) form.append(name, value);
      const to = `key-of-${node.name}@example.test`;
      form.append("email", to);
      const response = await fetch(`${node.url}/login`, {
        method: "POST",
        body: form,
        headers: { origin: node.url, "sec-fetch-site": "same-origin" },
        redirect: "manual",
      });
      if (node.name !== primary.name) {
        expect([response.status, response.headers.get("fly-replay")], node.name).toEqual([
          409,
          `instance=${primary.name}`,
        ]);
        continue;
      }
      expect([response.status, response.headers.get("location")]).toEqual([303, "/login/code"]);
      await waitUntil("the email is there", 20_000, () =>
        smtp.emails.some((email) => email.to.includes(to)),
      );
    }
  });
});

test("without a primary, forms keep their input, with and without scripts", async ({
  cluster,
  page,
  browser,
}) => {
  test.setTimeout(240_000);
  const plainContext = await browser.newContext({ javaScriptEnabled: false });
  const plain = await plainContext.newPage();
  for (const one of [page, plain]) await openLogin(one, cluster);
  await waitUntilHydrated(page);
  const primary = await cluster.waitForPrimary();
  await (await cluster.waitForStandby()).stop();
  await primary.stop();
  await waitUntil(
    "ams knows no primary",
    30_000,
    async () => (await cluster.getNode("ams-1").readLitefsInfo())?.primary ?? null,
    (known) => known !== null && !known.hostname,
  );
  for (const one of [page, plain]) {
    const answer = one.waitForResponse(isFormResponse);
    await press(one);
    expect((await answer).status()).toBe(503);
    expect((await answer).headers()["retry-after"]).toMatch(/^\d+$/);
    await expect(
      one.getByRole("alert").filter({ hasText: "Writes are paused for a few seconds." }),
    ).toBeVisible();
    await expect(email(one)).toHaveValue(EMAIL);
  }

  // Submits from the same pages once there is a primary again.
  await cluster.repair();
  for (const one of [page, plain]) {
    await press(one);
    await one.waitForURL("**/login/code**", { timeout: 20_000 });
  }
  await plainContext.close();
});
