import { request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { isAppError } from "#lib/core/errors.ts";
import { sendEmail } from "#lib/outbound/mail/send-email.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { createPipelineServer } from "./pipeline.ts";
import { assertSiteUrl, reportMissingConfiguration } from "./site-url.ts";

const server = createPipelineServer((_request, response) => {
  try {
    assertSiteUrl();
    response.end("sent");
  } catch (error) {
    response.end(isAppError(error, "unavailable") ? error.message : String(error));
  }
});
let port = 0;
beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  port = (server.address() as AddressInfo).port;
});
afterAll(() => void server.close());
afterEach(() =>
  overrideEnv({
    NODE_ENV: "test",
    LOG_LEVEL: "error",
    SITE_URL: undefined,
    SMTP_URL: undefined,
    METRICS_TOKEN: undefined,
    TRUST_PROXY: undefined,
  }),
);

/** Returns what a visitor with `headers` gets who asks for a login email. */
const ask = (headers: Record<string, string> = {}) =>
  new Promise<string>((resolve, reject) => {
    httpRequest({ host: "127.0.0.1", port, headers, agent: false }, (response) => {
      let text = "";
      response.on("data", (part: Buffer) => (text += part.toString()));
      response.on("end", () => resolve(text));
    })
      .on("error", reject)
      .end();
  });

const REFUSED = expect.stringMatching(/must set SITE_URL/);
const FROM_PROXIES: Record<string, string>[] = [
  { host: "localhost", "x-forwarded-for": "192.0.2.1" },
  { host: "localhost", forwarded: "for=127.0.0.1" },
  { host: "localhost", "x-real-ip": "127.0.0.1" },
  { host: "localhost", via: "1.1 proxy" },
  { host: "localhost", "fly-client-ip": "127.0.0.1" },
  { host: "lectern.example" },
  { host: "203.0.113.5:3000" },
  { host: "localhost.evil.example" },
];

test("in production without SITE_URL, no login email is sent through a proxy or to another name", async () => {
  overrideEnv({ NODE_ENV: "production" });
  for (const headers of FROM_PROXIES)
    expect([headers, await ask(headers)]).toEqual([headers, REFUSED]);
  for (const host of [`localhost:${port}`, "127.0.0.1", `[::1]:${port}`])
    expect([host, await ask({ host })]).toEqual([host, "sent"]);
  // A trusted proxy tells the client, not the site's address.
  overrideEnv({ TRUST_PROXY: "127.0.0.1" });
  expect(await ask(FROM_PROXIES[0])).toEqual(REFUSED);
});

test("in production without SITE_URL, nothing is sent through a mail server", async () => {
  overrideEnv({ NODE_ENV: "production", SMTP_URL: "smtp://127.0.0.1:9" });
  expect(await ask({ host: "localhost" })).toEqual(REFUSED);
  await expect(sendEmail({ to: "ada@example.test", subject: "Hello", parts: [] })).rejects.toThrow(
    "SITE_URL is not set",
  );
});

test("with SITE_URL, and in development, login emails are sent to all", async () => {
  for (const variables of [
    { NODE_ENV: "production", SITE_URL: "https://lectern.example" },
    { NODE_ENV: "production", SITE_URL: "http://localhost:3000" },
    { NODE_ENV: "development", SITE_URL: undefined },
  ]) {
    overrideEnv(variables);
    for (const headers of FROM_PROXIES) expect(await ask(headers)).toBe("sent");
  }
});

test("the start of a production site says what is missing", () => {
  const write = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  const report = (variables: Record<string, string | undefined>) => {
    write.mockClear();
    overrideEnv({ LOG_LEVEL: "info", ...variables });
    reportMissingConfiguration();
    return write.mock.calls.map(([line]) => (JSON.parse(String(line)) as { event: string }).event);
  };
  expect(report({ NODE_ENV: "production" })).toEqual([
    "config.site_url_missing",
    "config.metrics_token_missing",
  ]);
  expect(report({ SITE_URL: "https://lectern.example", METRICS_TOKEN: "a".repeat(16) })).toEqual(
    [],
  );
  expect(report({ NODE_ENV: "development", SITE_URL: undefined })).toEqual([]);
});
