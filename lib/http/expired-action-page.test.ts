import { expect, test } from "vitest";
import { renderExpiredActionPage } from "./expired-action-page.ts";

const multipart = async (fields: Record<string, string>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const response = new Response(form);
  return {
    contentType: response.headers.get("content-type")!,
    body: Buffer.from(await response.arrayBuffer()),
  };
};

test("typed text is returned escaped; secret and hidden fields are not", async () => {
  const page = await renderExpiredActionPage({
    ...(await multipart({
      $ACTION_KEY: "k1",
      title: "</textarea><b>Why?</b>",
      code: "123456",
      token: "secret-token",
      expectedVersion: "17",
      id: "an-id",
      next: "/me",
      empty: " ",
    })),
    path: '/me?a="b',
  });
  expect(page).toContain("&lt;/textarea&gt;&lt;b&gt;Why?&lt;/b&gt;");
  expect(page).toContain('href="/me?a=&quot;b"');
  expect(page.match(/<textarea/g)).toHaveLength(1);
  for (const hidden of ["123456", "secret-token", "an-id", "k1", "<b>"])
    expect(page).not.toContain(hidden);
});

test("the page renders without a readable body", async () => {
  for (const body of [null, Buffer.from("no form")]) {
    expect(
      await renderExpiredActionPage({
        body,
        contentType: "multipart/form-data; boundary=x",
        path: "/",
      }),
    ).toContain("load the page again");
  }
});
