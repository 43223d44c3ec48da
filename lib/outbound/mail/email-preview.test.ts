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

/** Returns whether a request to `host` with the Host header `name` may show emails. */
const shown = (name = "localhost:3000", host = "127.0.0.1") =>
  new Promise<boolean>((resolve, reject) => {
    get({ host, port, headers: { host: name } }, (response) => {
      let text = "";
      response
        .on("data", (part: Buffer) => (text += part.toString()))
        .on("end", () => resolve(text === "true"));
    }).on("error", reject);
  });
const otherAddress = Object.values(networkInterfaces())
  .flat()
  .find((each) => each && !each.internal && each.family === "IPv4")?.address;

test("emails are shown on the developer's machine", async () => {
  overrideEnv({ NODE_ENV: "development" });
  expect(await shown()).toBe(true);
  overrideEnv({ NODE_ENV: "production", SITE_URL: "http://localhost:3000" });
  expect([await shown(), await shown("127.0.0.1:3000"), await shown("[::1]:3000")]).toEqual([
    true,
    true,
    true,
  ]);
});

test("emails are hidden with a mail server", async () => {
  for (const NODE_ENV of ["development", "production"]) {
    overrideEnv({ NODE_ENV, SMTP_URL: "smtp://127.0.0.1:25" });
    expect(await shown()).toBe(false);
  }
});

test("emails are hidden in production with a public SITE_URL", async () => {
  overrideEnv({ NODE_ENV: "production", SITE_URL: "https://lectern.example" });
  expect([await shown("lectern.example"), await shown("localhost:3000")]).toEqual([false, false]);
});

test("emails are hidden from another hostname (DNS rebinding)", async () => {
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

test.skipIf(!otherAddress)(
  "emails are hidden in production from another machine that claims localhost",
  async () => {
    overrideEnv({ NODE_ENV: "production" });
    expect(await shown("localhost:3000", otherAddress)).toBe(false);
  },
);

test("emails are hidden outside a request", () => {
  overrideEnv({ NODE_ENV: "development" });
  expect(isEmailPreviewAllowed()).toBe(false);
});
