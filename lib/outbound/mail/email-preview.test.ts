import { get } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { overrideEnv } from "#tests/support/override-env.ts";
import { createPipelineServer } from "#lib/http/pipeline.ts";
import { isEmailPreviewAllowed } from "./email-preview.ts";

const server = createPipelineServer((_request, response) =>
  response.end(String(isEmailPreviewAllowed())),
);
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "0.0.0.0", resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());
afterEach(() => overrideEnv({ NODE_ENV: "test", SITE_URL: undefined, SMTP_URL: undefined }));

/** What a request to `host` is told that names `name` in its Host header. */
const shown = (name = "localhost:3000", host = "127.0.0.1") =>
  new Promise<boolean>((resolve, reject) => {
    get({ host, port, headers: { host: name } }, (response) => {
      let text = "";
      response
        .on("data", (part: Buffer) => (text += part.toString()))
        .on("end", () => resolve(text === "true"));
    }).on("error", reject);
  });
const elsewhere = Object.values(networkInterfaces())
  .flat()
  .find((each) => each && !each.internal && each.family === "IPv4")?.address;

test("the outbox is shown on the machine of who develops", async () => {
  overrideEnv({ NODE_ENV: "development" });
  expect(await shown()).toBe(true);
  overrideEnv({ NODE_ENV: "production", SITE_URL: "http://localhost:3000" });
  expect([await shown(), await shown("127.0.0.1:3000"), await shown("[::1]:3000")]).toEqual([
    true,
    true,
    true,
  ]);
});

test("the outbox is not shown where a mail server is set up", async () => {
  for (const NODE_ENV of ["development", "production"]) {
    overrideEnv({ NODE_ENV, SMTP_URL: "smtp://127.0.0.1:25" });
    expect(await shown()).toBe(false);
  }
});

test("the outbox is not shown in production on an address that is not this machine's", async () => {
  overrideEnv({ NODE_ENV: "production", SITE_URL: "https://lectern.example" });
  expect([await shown("lectern.example"), await shown("localhost:3000")]).toEqual([false, false]);
});

test("the outbox is not shown to a page of another name that was made to point here", async () => {
  for (const NODE_ENV of ["development", "production"]) {
    overrideEnv({ NODE_ENV });
    for (const name of [
      "evil.test",
      "evil.test:3000",
      "localhost.evil.test",
      "localhost@evil.test",
      "127.0.0.1.nip.io",
    ])
      expect([name, await shown(name)]).toEqual([name, false]);
  }
});

test.skipIf(!elsewhere)(
  "the outbox is not shown in production to another machine that says it asks for localhost",
  async () => {
    overrideEnv({ NODE_ENV: "production" });
    expect(await shown("localhost:3000", elsewhere)).toBe(false);
  },
);

test("outside of a request nothing is shown", () => {
  overrideEnv({ NODE_ENV: "development" });
  expect(isEmailPreviewAllowed()).toBe(false);
});
