// Limits the JavaScript that a post page sends.

import { expect, test } from "#tests/support/e2e/fixtures.ts";

test("a post page sends at most 123 kB of JavaScript, and no MDX compiler in it", async ({
  page,
}) => {
  const scripts: { url: string; body: Buffer; sent: number }[] = [];
  const pending: Promise<void>[] = [];
  page.on("response", (response) => {
    if (response.request().resourceType() === "script")
      pending.push(
        Promise.all([response.body(), response.request().sizes()]).then(
          ([body, { responseBodySize }]) =>
            void scripts.push({ url: response.url(), body, sent: responseBodySize }),
        ),
      );
  });
  await page.goto("/blog/a-tour-of-the-code", { waitUntil: "networkidle" });
  await Promise.all(pending);
  const kilobytes = scripts.reduce((sum, { sent }) => sum + sent, 0) / 1_000;
  expect(scripts.length).toBeGreaterThan(0);
  expect(kilobytes).toBeLessThanOrEqual(123);
  for (const { url, body } of scripts)
    expect(/micromark|mdxJsx|remark-|hast-util/.test(body.toString()), url).toBe(false);
});
