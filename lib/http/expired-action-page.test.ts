import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { expect, test } from "vitest";
import { captureBody, renderExpiredActionPage } from "./expired-action-page.ts";

const multipart = async (fields: Record<string, string>) => {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  const response = new Response(form);
  return {
    contentType: response.headers.get("content-type")!,
    body: Buffer.from(await response.arrayBuffer()),
  };
};

test("what was typed comes back as text, and nothing that nobody typed or may see", async () => {
  const page = await renderExpiredActionPage({
    ...(await multipart({
      $ACTION_KEY: "k1",
      title: "</textarea><b>Why?</b>",
      code: "123456",
      token: "secret-token",
      seenUpdatedAt: "17",
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

test("a body that is missing or can't be read still has its page", async () => {
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

test("a body is kept while somebody else reads it, up to a hundred kilobytes", async () => {
  for (const [size, isKept] of [
    [100_000, true],
    [200_000, false],
  ] as const) {
    const request = new IncomingMessage(new Socket());
    const kept = captureBody(request);
    for (let at = 0; at < size; at += 50_000) request.push(Buffer.alloc(50_000, "a"));
    request.push(null);
    let read = 0;
    for await (const chunk of request) read += (chunk as Buffer).length;
    expect([read, kept()?.length ?? null]).toEqual([size, isKept ? size : null]);
  }
});
