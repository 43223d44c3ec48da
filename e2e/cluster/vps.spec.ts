// Tests docs/runbooks/vps.md: its nginx configuration in front of the image, without replication.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { once } from "node:events";
import { Agent, get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { randomBytes, randomUUID } from "node:crypto";
import { expect, test } from "@playwright/test";
import Database from "better-sqlite3";
import { PART_BYTES, insertUser, sha256 } from "#tests/support/factories.ts";
import { findFreePort } from "#tests/support/free-port.ts";
import { type Nginx, hasNginx, startNginx } from "#tests/support/nginx.ts";
import { CookieJar, encodeForm, findForm } from "#tests/support/no-js-browser.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import {
  type VisitorRequest,
  type VisitorResponse,
  sendRequest,
} from "#tests/support/cluster/browser-visitor.ts";
import { imageDir } from "#tests/support/cluster/fixtures.ts";
import { startPlainFileSite } from "#tests/support/cluster/plain-file-site.ts";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { createSql } from "#lib/db/connection.ts";
import { createWorkspace } from "#cli/cluster/workspace.ts";

test.describe.configure({ mode: "serial" });
test.skip(!hasNginx(), "nginx is not installed. Debian and Ubuntu: apt install nginx.");

/** lib/members/limiters.ts: login emails per client and hour. */
const EMAILS_PER_CLIENT = 30;

let folder: string;
let nginx: Nginx;
let smtp: TestSmtpServer;
const stops: (() => unknown)[] = [];

test.beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "lectern-vps-"));
  const workspace = createWorkspace(join(folder, "work"));
  smtp = await startSmtpServer();
  const [https, http] = [await findFreePort(), await findFreePort()];
  const site = await startPlainFileSite({
    imageDir,
    folder,
    workspace,
    env: {
      SITE_URL: `https://localhost:${https}`,
      TRUST_PROXY: "127.0.0.1",
      SMTP_URL: smtp.url,
    },
  });
  nginx = await startNginx(Number(new URL(site.url).port), [https, http]);
  stops.push(
    () => nginx.stop(),
    () => smtp.close(),
    () => workspace.remove({ keep: false }),
    () => rmSync(folder, { recursive: true, force: true }),
  );
  await waitUntil(
    "the site serves through nginx",
    60_000,
    async () => (await new Visitor().request("/healthz")).status,
    (status) => status === 200,
  );
});
test.afterAll(async () => {
  for (const stop of stops) await stop();
});

/** A browser at its own address. */
class Visitor {
  readonly cookies = new CookieJar();
  readonly #agent: Agent;

  constructor(localAddress = "127.0.0.1") {
    this.#agent = new Agent({ ca: nginx.ca, localAddress, keepAlive: false });
  }

  async request(path: string, { headers, ...rest }: VisitorRequest = {}): Promise<VisitorResponse> {
    const response = await sendRequest(nginx.url + path, {
      ...rest,
      agent: this.#agent,
      headers: {
        origin: nginx.url,
        "sec-fetch-site": "same-origin",
        ...this.cookies.toHeaders(),
        ...headers,
      },
    });
    this.cookies.store(response.headers["set-cookie"] ?? []);
    return response;
  }

  async submit(path: string, values: Record<string, string>): Promise<VisitorResponse> {
    return (await this.openForm(path, Object.keys(values)[0] ?? "token"))(values);
  }

  /** Opens the form with this field. Returns the function that sends it. */
  async openForm(path: string, field: string) {
    const form = findForm((await this.request(path)).text, [field]);
    return async (
      values: Record<string, string>,
      headers: Record<string, string> = {},
    ): Promise<VisitorResponse> => {
      const { body, contentType } = await encodeForm(form!, values);
      return this.request(path, {
        method: "POST",
        body,
        headers: {
          "content-type": contentType,
          "content-length": String(body.length),
          ...headers,
        },
      });
    };
  }
}

/** Logs in a new member with the email that the site sends. */
async function logIn(email: string): Promise<{ visitor: Visitor; setCookies: string[] }> {
  const db = new Database(join(folder, "lectern.db"), { timeout: 5_000 });
  insertUser(createSql(db), { firstName: "Ada", email });
  db.close();
  const visitor = new Visitor();
  expect((await visitor.submit("/login", { email })).status).toBe(303);
  const message = await waitUntil("the email arrives", 10_000, () =>
    smtp.emails.find(({ to }) => to.includes(email)),
  );
  const link = new URL(/https:\S+\/login\/confirm\S+/.exec(message!.text)![0]);
  expect(link.origin).toBe(nginx.url);
  const response = await visitor.submit(link.pathname + link.search, {});
  return { visitor, setCookies: response.headers["set-cookie"] ?? [] };
}

test("HTTP is redirected to HTTPS, and pages are served", async () => {
  const redirect = await sendRequest(`${nginx.plainUrl}/blog`);
  expect([redirect.status, redirect.headers.location]).toEqual([308, "https://localhost/blog"]);
  const page = await new Visitor().request("/blog");
  expect([page.status, page.text.includes("</html>")]).toEqual([200, true]);
});

test("a login by email leaves a cookie for HTTPS only, which logs in", async () => {
  const { visitor, setCookies } = await logIn("ada@example.com");
  const session = setCookies.find((line) => line.startsWith("__Host-session="));
  expect(session).toMatch(/;\s*Secure/i);
  expect(session).toMatch(/;\s*HttpOnly/i);
  expect((await visitor.request("/me")).status).toBe(200);
  expect((await new Visitor().request("/me")).status).not.toBe(200);
});

test("rate limits count visitors by their address, not by what they claim", async () => {
  const send = await new Visitor("127.0.0.21").openForm("/login", "email");
  const statuses: number[] = [];
  for (let i = 0; i <= EMAILS_PER_CLIENT; i += 1) {
    const { status } = await send(
      { email: `visitor-${i}@example.com` },
      { "x-forwarded-for": `203.0.113.${i}`, forwarded: `for=203.0.113.${i}` },
    );
    statuses.push(status);
  }
  expect(statuses.slice(0, -1)).toEqual(Array<number>(EMAILS_PER_CLIENT).fill(303));
  // The response is the form again, with the reason.
  expect(statuses.at(-1)).toBe(200);
  const other = await new Visitor("127.0.0.22").submit("/login", { email: "other@example.com" });
  expect(other.status).toBe(303);
});

test("a recording is uploaded in parts", async () => {
  const { visitor } = await logIn("grace@example.com");
  const bytes = randomBytes(PART_BYTES + 1_000);
  const id = randomUUID();
  const announced = await visitor.request("/calls/upload", {
    method: "POST",
    body: JSON.stringify({ id, size: bytes.length, sha256: sha256(bytes) }),
  });
  expect(announced.status).toBe(200);
  for (const [part, content] of [
    bytes.subarray(0, PART_BYTES),
    bytes.subarray(PART_BYTES),
  ].entries()) {
    const { status } = await visitor.request(`/calls/upload/${id}/${part}`, {
      method: "PUT",
      body: content,
      headers: { "content-length": String(content.length) },
    });
    expect([part, status]).toEqual([part, 204]);
  }
});

test("a body that is too large gets 413, from the site with the reason, and from nginx above its own limit", async () => {
  const post = (length: number) =>
    new Visitor().request("/login", {
      method: "POST",
      body: Buffer.alloc(length),
      headers: {
        "content-type": "multipart/form-data; boundary=x",
        "content-length": String(length),
      },
    });
  const bySite = await post(1_500_000);
  expect([bySite.status, bySite.text]).toEqual([413, expect.stringContaining("1048576 bytes")]);
  const byNginx = await post(3_000_000);
  expect([byNginx.status, byNginx.headers.server]).toEqual([413, expect.stringContaining("nginx")]);
});

test("a stream reaches the browser as it is sent", async () => {
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    response.write("data: first\n\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const proxy = await startNginx((server.address() as AddressInfo).port);
  try {
    const first = await waitUntil("the first event arrives", 10_000, () => readFirstChunk(proxy));
    expect(first).toBe("data: first\n\n");
  } finally {
    await proxy.stop();
    server.closeAllConnections();
    server.close();
  }
});

/** Returns what arrives first of a response that does not end. */
function readFirstChunk({ url, ca }: Nginx): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ca, agent: false, timeout: 2_000 }, (response) =>
      response.setEncoding("utf8").once("data", (chunk: string) => {
        resolve(chunk);
        request.destroy();
      }),
    );
    request.once("timeout", () => request.destroy(new Error("nothing arrived")));
    request.once("error", reject);
  });
}
