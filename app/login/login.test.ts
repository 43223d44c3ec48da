import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { execute, selectRow, selectRows } from "#tests/support/database.ts";
import { overrideEnv } from "#tests/support/override-env.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { type TestSmtpServer, startSmtpServer } from "#tests/support/smtp-server.ts";
import { INITIAL_FORM_STATE } from "#lib/http/form-state.ts";
import { HOUR_MS, MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
import { closeSmtpTransport } from "#lib/outbound/mail/send-email.ts";
import { runDueDeliveries } from "#lib/outbound/outbox/outbox.ts";
import { serializeReaderCookie } from "#lib/members/cookies.ts";
import { resetSingleton } from "#lib/core/singleton.ts";
import { signUp } from "../signup/actions.ts";
import { resendLoginEmail, requestLoginEmail, logInByCode, logInByLink } from "./actions.ts";
import { GET as go } from "./go/route.ts";

// Next's cookies() and headers() work only inside Next: here they come from the browser that sends the form.
interface Browser {
  jar: Map<string, string>;
  /** The cookies as they were last set. */
  set: Map<string, Record<string, unknown>>;
  address: string;
}
const current = vi.hoisted(() => ({
  browser: null as unknown as Browser,
  headers: {} as Record<string, string>,
}));
vi.mock("next/headers", () => ({
  cookies: async () => ({
    get: (name: string) =>
      current.browser.jar.has(name) ? { name, value: current.browser.jar.get(name) } : undefined,
    set: (cookie: { name: string; value: string; maxAge: number }) => {
      current.browser.set.set(cookie.name, cookie);
      if (cookie.maxAge > 0) current.browser.jar.set(cookie.name, cookie.value);
      else current.browser.jar.delete(cookie.name);
    },
  }),
  headers: async () =>
    new Headers({
      host: "localhost:3000",
      "sec-fetch-site": "same-origin",
      "fly-client-ip": current.browser.address,
      "user-agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      ...current.headers,
    }),
}));

vi.mock("next/cache", () => ({ refresh: () => {} }));

let smtp: TestSmtpServer;
beforeAll(async () => {
  smtp = await startSmtpServer();
});
afterAll(async () => {
  closeSmtpTransport();
  await smtp.close();
  overrideEnv({ SMTP_URL: undefined, TRUST_PROXY: undefined });
});

let networks = 0;
let ada: Browser;
beforeEach(() => {
  overrideEnv({ SMTP_URL: smtp.url, TRUST_PROXY: "fly" });
  smtp.emails.length = 0;
  smtp.mode = "ok";
  current.headers = {};
  resetSingleton("login-limiter");
  ada = newBrowser();
});
afterEach(async () => {
  overrideEnv({ SITE_URL: undefined });
  // Deliveries that a sign-up triggered must not outlive the test's database.
  await new Promise(setImmediate);
  await runDueDeliveries();
});

/** Each browser is in another network. */
function newBrowser(): Browser {
  networks += 1;
  return { jar: new Map(), set: new Map(), address: `10.${networks >> 8}.${networks & 255}.1` };
}

type Action = typeof requestLoginEmail;
/** Sends a form. Returns where it redirects, or its message. */
async function send(
  browser: Browser,
  action: Action,
  fields: Record<string, string> = {},
): Promise<string> {
  current.browser = browser;
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  try {
    const state = await action(INITIAL_FORM_STATE, form);
    return state.message ?? "";
  } catch (error) {
    const { digest } = error as { digest?: string };
    if (!digest?.startsWith("NEXT_REDIRECT;")) throw error;
    return `→ ${digest.split(";")[2]}`;
  }
}

function lastEmail(email = "ada@example.test"): { code: string; token: string; link: URL } {
  const text = smtp.emails.findLast(({ to }) => to.includes(email))?.text ?? "";
  const link = new URL(/http:\S+/.exec(text)?.[0] ?? "http://none.invalid");
  return {
    code: /^\d{6}$/m.exec(text)?.[0] ?? "",
    token: link.searchParams.get("token") ?? "",
    link,
  };
}

const member = (email = "ada@example.test") => write((tx) => insertUser(tx, { email }));
const count = async (table: string) =>
  (await selectRow<{ n: number }>(`SELECT COUNT(*) AS n FROM "${table}"`))?.n;
const sessions = () =>
  read(async (tx) =>
    (await tx.session.findMany({ orderBy: { createdAt: "asc" } })).map(({ userId }) => userId),
  );
const requestEmail = (browser: Browser, fields: Record<string, string> = {}) =>
  send(browser, requestLoginEmail, { email: "ada@example.test", ...fields });
const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

test("a link logs in once, in the browser that requested it", async () => {
  const { id } = await member();
  expect(await requestEmail(ada, { next: "/blog/a-post?x=1" })).toBe("→ /login/code");
  expect(await sessions()).toEqual([]);
  const { token } = lastEmail();
  expect(await send(ada, logInByLink, { token })).toBe("→ /login/go?to=%2Fblog%2Fa-post%3Fx%3D1");
  expect(await sessions()).toEqual([id]);
  expect(ada.jar.has("session")).toBe(true);
  expect(ada.jar.has("login")).toBe(false);
  expect(await send(ada, logInByLink, { token })).toBe("This link has expired. Request a new one.");
  expect(await sessions()).toHaveLength(1);
});

test("a code logs in, with spaces and hyphens", async () => {
  const { id } = await member();
  await requestEmail(ada);
  const { code } = lastEmail();
  expect(await send(ada, logInByCode, { code: ` ${code.slice(0, 3)}-${code.slice(3)} ` })).toBe(
    "→ /login/go?to=%2Fme",
  );
  expect(await sessions()).toEqual([id]);
});

test("ten concurrent logins with one link create one session", async () => {
  await member();
  await requestEmail(ada);
  const { token } = lastEmail();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      send({ ...ada, jar: new Map(ada.jar) }, logInByLink, { token }),
    ),
  );
  expect(answers.filter((answer) => answer.startsWith("→"))).toHaveLength(1);
  expect(await sessions()).toHaveLength(1);
});

test("a link in another browser logs in only with the code from the same email", async () => {
  await member();
  await requestEmail(ada, { next: "/about" });
  const { token, code, link } = lastEmail();
  const phone = newBrowser();
  expect(await send(phone, logInByLink, { token })).toMatch(/^This link has expired/);
  expect(await send(phone, logInByCode, { token, code: wrong(code) })).toBe(
    "Wrong code. 4 attempts left.",
  );
  expect(await sessions()).toEqual([]);
  expect(link.searchParams.get("next")).toBe("/about");
  expect(await send(phone, logInByCode, { token, code, next: "/about" })).toBe(
    "→ /login/go?to=%2Fabout",
  );
  expect(await sessions()).toHaveLength(1);
});

test("a code does not log in without the cookie of the requesting browser", async () => {
  await member();
  await member("eve@example.test");
  await requestEmail(ada);
  const { code } = lastEmail();
  const eve = newBrowser();
  expect(await send(eve, logInByCode, { code })).toMatch(/^This code has expired/);
  await requestEmail(eve, { email: "eve@example.test" });
  expect(await send(eve, logInByCode, { code, email: "ada@example.test" })).toMatch(/^Wrong code/);
  eve.jar.set("login", "nonsense");
  expect(await send(eve, logInByCode, { code })).toMatch(/^This code has expired/);
  expect(await sessions()).toEqual([]);
});

test("the fifth wrong code blocks codes in this browser, but not the link; refused attempts are counted", async () => {
  await member();
  await requestEmail(ada);
  const { code, token } = lastEmail();
  const answers: string[] = [];
  for (let i = 0; i < 6; i++) answers.push(await send(ada, logInByCode, { code: wrong(code) }));
  expect(answers).toEqual([
    "Wrong code. 4 attempts left.",
    "Wrong code. 3 attempts left.",
    "Wrong code. 2 attempts left.",
    "Wrong code. 1 attempt left.",
    ...Array<string>(2).fill("Too many attempts. Use the link in the email or request a new one."),
  ]);
  expect(await send(ada, logInByCode, { code })).toMatch(/^Too many attempts/);
  expect(await sessions()).toEqual([]);
  expect(await send({ ...ada, jar: new Map(ada.jar) }, logInByLink, { token })).toMatch(/^→/);
  await requestEmail(ada);
  expect(await send(ada, resendLoginEmail)).toBe("→ /login/code?again");
  expect(await send(ada, logInByCode, { code: lastEmail().code })).toMatch(/^→/);
});

test("a stranger who requests all emails of an address and exhausts their codes does not lock the owner out", async () => {
  const { id } = await member();
  for (let i = 0; i < 5; i++) {
    const stranger = newBrowser();
    await requestEmail(stranger);
    for (let k = 0; k < 6; k++)
      await send(stranger, logInByCode, { code: wrong(lastEmail().code) });
    await send(stranger, resendLoginEmail);
  }
  expect(smtp.emails).toHaveLength(5);
  for (const { text } of [...smtp.emails]) {
    const fields = {
      token: /token=([\w-]+)/.exec(text)?.[1] ?? "",
      code: /^\d{6}$/m.exec(text)?.[0] ?? "",
    };
    expect(await send(newBrowser(), logInByCode, fields)).toMatch(/^→/);
  }
  expect(await sessions()).toEqual(Array<string>(5).fill(id));
});

test("five wrong codes with the token void the challenge", async () => {
  await member();
  await requestEmail(ada);
  const { code, token } = lastEmail();
  const phone = newBrowser();
  for (let i = 0; i < 4; i++) await send(phone, logInByCode, { token, code: wrong(code) });
  expect(await send(phone, logInByCode, { token, code: wrong(code) })).toBe(
    "Too many attempts. Request a new email.",
  );
  expect(await send(phone, logInByCode, { token, code })).toMatch(/^This code has expired/);
  expect(await send(ada, logInByCode, { code })).toMatch(/^This code has expired/);
  expect(await send(ada, logInByLink, { token })).toMatch(/^This link has expired/);
});

test("a malformed code costs no attempt", async () => {
  await requestEmail(ada);
  for (const code of ["", "12345", "abcdef", "1234567", "x".repeat(300)])
    expect(await send(ada, logInByCode, { code })).toBe("Please fix the field above.");
  expect(await read((tx) => tx.loginChallenge.findFirst({ select: { tries: true } }))).toEqual({
    tries: 0,
  });
});

test("after fifteen minutes neither link nor code logs in", async () => {
  await member();
  await requestEmail(ada);
  const { code, token } = lastEmail();
  setClock(nowMs() + 15 * MINUTE_MS);
  expect(await send(ada, logInByLink, { token })).toMatch(/^This link has expired/);
  expect(await send(ada, logInByCode, { code })).toMatch(/^This code has expired/);
  expect(await sessions()).toEqual([]);
});

test("forged tokens are refused", async () => {
  await member();
  await requestEmail(ada);
  for (const token of ["", "x", "A".repeat(22), "A".repeat(101), "../..", "' OR 1=1 --"])
    expect(await send(ada, logInByLink, { token })).toMatch(/^(This link has expired|Please fix)/);
  expect(await send(ada, logInByLink)).toBe("Please fix the field above.");
  expect(await sessions()).toEqual([]);
});

test("a newer email does not void older ones, of any browser", async () => {
  await member();
  await requestEmail(ada);
  const earlier = lastEmail();
  const phone = newBrowser();
  await requestEmail(phone);
  expect(
    await send(newBrowser(), logInByCode, { token: earlier.token, code: wrong(earlier.code) }),
  ).toMatch(/4 attempts left/);
  await send(ada, resendLoginEmail);
  expect(await count("LoginChallenge")).toBe(3);
  expect(await send(ada, logInByLink, { token: earlier.token })).toMatch(/^This link has expired/);
  expect(
    await send(newBrowser(), logInByCode, { token: earlier.token, code: earlier.code }),
  ).toMatch(/^→/);
  expect(await send(ada, logInByLink, { token: lastEmail().token })).toMatch(/^→/);
});

test("a known and an unknown address get the same response, cookie and email", async () => {
  await member();
  const seen = [];
  for (const email of ["ada@example.test", "bob@example.test"]) {
    const browser = newBrowser();
    const answer = await send(browser, requestLoginEmail, { email });
    const text = (smtp.emails.at(-1)?.text ?? "")
      .replace(/token=\S+/, "token")
      .replace(/^\d{6}$/m, "code")
      .replace(/\d\d:\d\d/, "time");
    seen.push({
      answer,
      text,
      subject: smtp.emails.at(-1)?.subject.replace(/\d{6}/, "code"),
      cookies: [...browser.set.values()].map((cookie) => ({
        ...cookie,
        value: String(cookie.value).length,
      })),
    });
  }
  expect(seen[0]).toEqual(seen[1]);
  expect(seen[0]?.cookies).toEqual([
    {
      name: "login",
      value: expect.any(Number),
      httpOnly: true,
      secure: false,
      sameSite: "lax",
      path: "/",
      maxAge: 900,
    },
  ]);
  expect(await count("PendingSignup")).toBe(0);
});

test("requesting an email does not query members, so its timing reveals nothing", async () => {
  await execute(`ALTER TABLE "User" RENAME TO "Elsewhere"`);
  expect(await requestEmail(ada)).toBe("→ /login/code");
});

test("cookies are bound to this host over https", async () => {
  await member();
  overrideEnv({ SITE_URL: "https://lectern.example" });
  await requestEmail(ada);
  expect([...ada.set.values()]).toMatchObject([
    { name: "__Host-login", secure: true, httpOnly: true, path: "/" },
  ]);
  const token = /token=([\w-]+)/.exec(smtp.emails[0]?.text ?? "")?.[1] ?? "";
  await send(ada, logInByLink, { token });
  expect([...ada.jar.keys()]).toEqual(["__Host-session"]);
});

test("a login never redirects to another site (open redirect)", async () => {
  await member();
  const elsewhere = [
    "https://evil.test",
    "//evil.test",
    "/\\evil.test",
    "/%5Cevil.test",
    "\\\\evil.test",
    "/\t/evil.test",
    "javascript:alert(1)",
    "/..//evil.test",
    "/x\r\nSet-Cookie: a=b",
    "http:evil.test",
    "/日本",
    "x".repeat(3_000),
    "",
  ];
  for (const next of elsewhere) {
    const browser = newBrowser();
    setClock(nowMs() + 2 * HOUR_MS);
    smtp.emails.length = 0;
    await requestEmail(browser, { next });
    const { token, link } = lastEmail();
    expect([next, link.searchParams.get("next")]).toEqual([next, null]);
    expect([next, await send(browser, logInByLink, { token, next })]).toEqual([
      next,
      "→ /login/go?to=%2Fme",
    ]);
    const response = go(
      new Request(`http://localhost:3000/login/go?to=${encodeURIComponent(next)}`),
    );
    expect([next, response.status, response.headers.get("location")]).toEqual([next, 303, "/me"]);
  }
  // The browser can write the cookie, so its path is sanitized again.
  const browser = newBrowser();
  await requestEmail(browser, { email: "bob@example.test" });
  browser.jar.set(
    "login",
    `${browser.jar.get("login")!.split(".")[0]}.${Buffer.from("//evil.test").toString("base64url")}`,
  );
  await member("bob@example.test");
  expect(await send(browser, logInByLink, { token: lastEmail("bob@example.test").token })).toBe(
    "→ /login/go?to=%2Fme",
  );
});

test("a member who moved in with an unusual address logs in with it", async () => {
  for (const email of [
    "Jörg.Müller@example.test",
    "ivan@пример.рф",
    `${"x".repeat(70)}@example.test`,
  ]) {
    const { id } = await member(email);
    const browser = newBrowser();
    expect(await send(browser, requestLoginEmail, { email })).toBe("→ /login/code");
    const code = /^\d{6}$/m.exec(smtp.emails.at(-1)!.text)![0];
    expect(await send(browser, logInByCode, { code }), email).toMatch(/^→ \/login\/go/);
    expect(await selectRow(`SELECT "userId" FROM "Session" ORDER BY rowid DESC`)).toMatchObject({
      userId: id,
    });
  }
});

test("a malformed address is refused and no email is sent", async () => {
  for (const email of [
    "",
    "ada",
    "ada@",
    "@example.test",
    "ada@example.test, eve@example.test",
    "ada@example.test\r\nBcc: eve@example.test",
    `${"x".repeat(250)}@example.test`,
  ])
    expect(await send(ada, requestLoginEmail, { email })).toMatch(
      /^Enter (your|a valid) email address/,
    );
  expect(smtp.emails).toEqual([]);
  expect(await count("LoginChallenge")).toBe(0);
});

test("an address gets five emails an hour, from any network", async () => {
  const answers: string[] = [];
  for (let i = 0; i < 7; i++)
    answers.push(
      await requestEmail(newBrowser(), {
        email: i % 2 ? "Flooded@Example.test" : "flooded@example.test",
      }),
    );
  expect(answers.slice(0, 5)).toEqual(Array<string>(5).fill("→ /login/code"));
  expect(answers.slice(5)).toEqual(
    Array<string>(2).fill("Too many login emails. Try again in an hour."),
  );
  expect(smtp.emails).toHaveLength(5);
  expect(await count("LoginChallenge")).toBe(5);
});

test("a client gets sixty attempts an hour", async () => {
  let refused = "";
  let tried = 0;
  for (; tried < 100 && !refused; tried++) {
    if (tried % 5 === 0) await requestEmail(ada, { email: `a${tried}@example.test` });
    const answer = await send(ada, logInByCode, {
      code: wrong(lastEmail(`a${tried - (tried % 5)}@example.test`).code),
    });
    if (/^Too many attempts\. Try again/.test(answer)) refused = answer;
  }
  expect([tried, refused]).toEqual([61, "Too many attempts. Try again in an hour."]);
});

test("a failed email leaves no challenge behind and does not void an earlier one", async () => {
  await member();
  await requestEmail(ada);
  const earlier = lastEmail();
  smtp.mode = "refuse";
  expect(await send(ada, resendLoginEmail)).toMatch(/^We couldn't deliver to this address\./);
  expect(await requestEmail(newBrowser())).toMatch(/^We couldn't deliver to this address\./);
  expect(await count("LoginChallenge")).toBe(1);
  expect(await send(ada, logInByLink, { token: earlier.token })).toMatch(/^→/);
});

test("a form from another site is refused (CSRF)", async () => {
  await member();
  await requestEmail(ada);
  const { token, code } = lastEmail();
  for (const headers of [
    { "sec-fetch-site": "cross-site" } as Record<string, string>,
    { "sec-fetch-site": "same-site" },
    { "sec-fetch-site": "none", origin: "null" },
  ]) {
    current.headers = headers;
    for (const action of [requestLoginEmail, resendLoginEmail, logInByLink, logInByCode, signUp])
      expect(
        await send(ada, action, {
          token,
          code,
          email: "ada@example.test",
          firstName: "Ada",
          team: "RED",
        }),
      ).toMatch(/^This request/);
  }
  expect([await sessions(), smtp.emails.length]).toEqual([[], 1]);
});

test("another login replaces the browser's session", async () => {
  await member();
  const keys: unknown[] = [];
  for (let i = 0; i < 2; i++) {
    await requestEmail(ada);
    await send(ada, logInByLink, { token: lastEmail().token });
    keys.push(...(await read((tx) => tx.session.findMany())).map(({ id }) => id));
  }
  expect(keys).toHaveLength(2);
  expect(keys[0]).not.toBe(keys[1]);
});

test("a login claims the reads of this browser's reader id, and none without an id", async () => {
  const { id } = await member();
  const other = await member("bob@example.test");
  await write((tx) => {
    insertRead(tx, { clientId: "adas-browser", postSlug: "one" });
    insertRead(tx, { clientId: "another-reader", postSlug: "two" });
    insertRead(tx, { userId: other.id, postSlug: "three" });
  });
  const reads = () =>
    read((tx) =>
      tx.postRead.findMany({
        select: { postSlug: true, userId: true, clientId: true },
        orderBy: { postSlug: "asc" },
      }),
    );
  const before = await reads();
  await requestEmail(ada);
  await send(ada, logInByLink, { token: lastEmail().token });
  expect(await reads()).toEqual(before);
  ada.jar.set(
    "reader",
    decodeURIComponent(
      serializeReaderCookie("adas-browser").split(";")[0]!.slice("reader=".length),
    ),
  );
  await requestEmail(ada);
  await send(ada, logInByLink, { token: lastEmail().token });
  expect(await reads()).toEqual([
    { postSlug: "one", userId: id, clientId: null },
    ...before.slice(1),
  ]);
});

test("an unknown address signs up with a first name and a team, and gets a session and this browser's reads", async () => {
  await write((tx) => insertRead(tx, { clientId: "new-browser" }));
  ada.jar.set(
    "reader",
    decodeURIComponent(serializeReaderCookie("new-browser").split(";")[0]!.slice("reader=".length)),
  );
  await requestEmail(ada, { email: "New.Reader@Example.test", next: "/teams" });
  expect(await send(ada, logInByCode, { code: lastEmail("new.reader@example.test").code })).toBe(
    "→ /signup",
  );
  expect([await count("User"), await count("Session"), [...ada.jar.keys()].sort()]).toEqual([
    0,
    0,
    ["reader", "signup"],
  ]);
  expect(await send(ada, signUp, { firstName: "  Ada   Lovelace ", team: "YELLOW" })).toBe(
    "→ /login/go?to=%2Fteams",
  );
  const users = await selectRows<{ id: string }>(
    `SELECT "id", "email", "firstName", "team", "role" FROM "User"`,
  );
  expect(users).toEqual([
    {
      id: expect.any(String),
      email: "new.reader@example.test",
      firstName: "Ada Lovelace",
      team: "YELLOW",
      role: "MEMBER",
    },
  ]);
  expect(await sessions()).toEqual([users[0]!.id]);
  expect(
    await read((tx) => tx.postRead.findMany({ select: { userId: true, clientId: true } })),
  ).toEqual([{ userId: users[0]!.id, clientId: null }]);
  expect([...ada.jar.keys()].sort()).toEqual(["reader", "session"]);
});

async function provenBrowser(email = "new@example.test"): Promise<Browser> {
  const browser = newBrowser();
  await requestEmail(browser, { email });
  await send(browser, logInByLink, { token: lastEmail(email).token });
  return browser;
}

test("a sign-up sent twice creates one member and one session", async () => {
  const browser = await provenBrowser();
  const fields = { firstName: "Ada", team: "RED" };
  const answers = await Promise.all([
    send({ ...browser, jar: new Map(browser.jar) }, signUp, fields),
    send({ ...browser, jar: new Map(browser.jar) }, signUp, fields),
  ]);
  expect(answers.sort()).toEqual([
    "This sign-up has expired. Log in to continue.",
    "→ /login/go?to=%2Fme%3Fwelcome",
  ]);
  expect([await count("User"), await count("Session")]).toEqual([1, 1]);
});

test("a sign-up is refused without a proven address, after it expired, and with invalid fields", async () => {
  const fields = { firstName: "Ada", team: "RED" };
  expect(await send(newBrowser(), signUp, fields)).toMatch(/^This sign-up has expired/);
  const forged = newBrowser();
  forged.jar.set("signup", `${"A".repeat(22)}.`);
  expect(await send(forged, signUp, { ...fields, email: "ada@example.test" })).toMatch(
    /^This sign-up has expired/,
  );
  const browser = await provenBrowser();
  for (const wrongFields of [
    { firstName: "" },
    { firstName: "x".repeat(61) },
    { firstName: "A\u0000" },
    { team: "GREEN" },
    { team: "red" },
    { team: "" },
  ])
    expect(await send(browser, signUp, { ...fields, ...wrongFields })).toBe(
      "Please fix the field above.",
    );
  expect(await send(browser, signUp)).toBe("Please fix the fields above.");
  setClock(nowMs() + HOUR_MS);
  expect(await send(browser, signUp, fields)).toMatch(/^This sign-up has expired/);
  expect(await count("User")).toBe(0);
});

test("a form can't choose an address or a role", async () => {
  const browser = await provenBrowser();
  await send(browser, signUp, {
    firstName: "Ada",
    team: "RED",
    email: "root@example.test",
    role: "ADMIN",
    id: "1",
  });
  expect(await selectRows(`SELECT "email", "role" FROM "User"`)).toEqual([
    { email: "new@example.test", role: "MEMBER" },
  ]);
});

test("/login/go redirects a browser and answers Next's router with 204", async () => {
  expect(
    go(new Request("http://localhost:3000/login/go?to=/blog?x=1")).headers.get("location"),
  ).toBe("/blog?x=1");
  const script = go(
    new Request("http://localhost:3000/login/go?to=/blog", { headers: { rsc: "1" } }),
  );
  expect([
    script.status,
    script.headers.get("location"),
    script.headers.get("cache-control"),
  ]).toEqual([204, null, "no-store"]);
});
