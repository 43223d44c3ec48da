import { expect, test } from "vitest";
import { createVirtualAuthenticator } from "#tests/support/virtual-authenticator.ts";
import { insertUser } from "#tests/support/factories.ts";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { readSql, writeSql } from "../db/database.ts";
import { startCeremony, consumeCeremonyChallenge } from "./webauthn-challenge.ts";
import {
  AuthenticationResponse,
  RegistrationResponse,
  createAuthenticationOptions,
  createRegistrationOptions,
  verifyAuthentication,
  verifyRegistration,
} from "./webauthn.ts";
import {
  MAX_PASSKEYS,
  addPasskey,
  findPasskey,
  pickPasskeyName,
  listExcludedCredentials,
  listPasskeys,
  recordPasskeyUse,
  deletePasskey,
  updatePasskeyName,
} from "./passkeys.ts";

const CHALLENGE = "Y2hhbGxlbmdlLWNoYWxsZW5nZS1jaGFsbGVuZ2UtMDE";
const user = (given = {}) => writeSql((sql) => insertUser(sql, given).id);
const challenges = () => readSql((sql) => sql.all(`SELECT * FROM "PasskeyChallenge"`).length);
const plain = (userId: string, id = "a") => ({
  id,
  userId,
  publicKey: new Uint8Array([1]),
  counter: 0,
  transports: "internal",
  name: "Mine",
});

async function registered(counter = 0) {
  const userId = await user();
  const device = createVirtualAuthenticator();
  const passkey = await verifyRegistration(
    RegistrationResponse.parse(device.register(CHALLENGE, { counter })),
    { challenge: CHALLENGE, userId },
  );
  await writeSql((sql) => addPasskey(sql, { ...passkey, name: "Mine" }));
  return { userId, device, passkey: (await readSql((sql) => findPasskey(sql, device.id)))! };
}

test("a second passkey of the same device has another name, counted for its member alone", async () => {
  const [ada, bob] = [await user(), await user()];
  const add = (userId: string, id: string, device = "Firefox on Linux") =>
    writeSql((sql) => {
      const name = pickPasskeyName(sql, { userId, name: device });
      addPasskey(sql, { ...plain(userId, id), name });
      return name;
    });
  expect([
    await add(ada, "a"),
    await add(ada, "b"),
    await add(ada, "c"),
    await add(bob, "d"),
  ]).toEqual(["Firefox on Linux", "Firefox on Linux 2", "Firefox on Linux 3", "Firefox on Linux"]);
  await add(ada, "e", "x".repeat(60));
  expect(await add(ada, "f", "x".repeat(60))).toHaveLength(59);
});

test("a challenge is taken once, by the browser it was made for", async () => {
  const { browser, challenge } = await writeSql((sql) => startCeremony(sql, null));
  await expect(
    writeSql((sql) => consumeCeremonyChallenge(sql, { browser: "another", userId: null })),
  ).rejects.toMatchObject({ code: "conflict" });
  await expect(
    writeSql((sql) => consumeCeremonyChallenge(sql, { browser: undefined, userId: null })),
  ).rejects.toMatchObject({ code: "conflict" });
  const both = await Promise.allSettled(
    [1, 2].map(() => writeSql((sql) => consumeCeremonyChallenge(sql, { browser, userId: null }))),
  );
  expect(both.map((one) => (one.status === "fulfilled" ? one.value : "refused"))).toEqual([
    challenge,
    "refused",
  ]);
  expect(await challenges()).toBe(0);
});

test("a challenge is worth nothing after five minutes, and the next one sweeps it away", async () => {
  setClock(nowMs());
  const { browser } = await writeSql((sql) => startCeremony(sql, null));
  setClock(nowMs() + 5 * MINUTE_MS);
  await expect(
    writeSql((sql) => consumeCeremonyChallenge(sql, { browser, userId: null })),
  ).rejects.toMatchObject({ code: "conflict" });
  await writeSql((sql) => startCeremony(sql, null));
  expect(await challenges()).toBe(1);
});

test("a challenge to add a passkey logs nobody in, and one of a log-in or of another member adds none", async () => {
  const [ada, bob] = [await user(), await user()];
  const adding = await writeSql((sql) => startCeremony(sql, ada));
  await expect(
    writeSql((sql) => consumeCeremonyChallenge(sql, { browser: adding.browser, userId: null })),
  ).rejects.toMatchObject({ code: "conflict" });
  await expect(
    writeSql((sql) => consumeCeremonyChallenge(sql, { browser: adding.browser, userId: bob })),
  ).rejects.toMatchObject({ code: "conflict" });
  const loggingIn = await writeSql((sql) => startCeremony(sql, null));
  await expect(
    writeSql((sql) => consumeCeremonyChallenge(sql, { browser: loggingIn.browser, userId: ada })),
  ).rejects.toMatchObject({ code: "conflict" });
  expect(
    await writeSql((sql) =>
      consumeCeremonyChallenge(sql, { browser: adding.browser, userId: ada }),
    ),
  ).toBe(adding.challenge);
});

test("the database holds no cookie of a ceremony", async () => {
  const { browser } = await writeSql((sql) => startCeremony(sql, null));
  expect(
    JSON.stringify(await readSql((sql) => sql.all(`SELECT * FROM "PasskeyChallenge"`))),
  ).not.toContain(browser);
});

test("the browser is asked for a passkey it finds by itself, on this host, with the challenge as it is stored", async () => {
  const options = await createRegistrationOptions({
    challenge: CHALLENGE,
    member: { id: "an-id", email: "ada@example.test", firstName: "Ada" },
    known: [{ id: "a", transports: "internal,nonsense" }],
  });
  expect(options).toMatchObject({
    challenge: CHALLENGE,
    rp: { id: "localhost" },
    attestation: "none",
    authenticatorSelection: { residentKey: "required", userVerification: "preferred" },
    excludeCredentials: [{ id: "a", transports: ["internal"] }],
  });
  expect(await createAuthenticationOptions(CHALLENGE)).toMatchObject({
    challenge: CHALLENGE,
    rpId: "localhost",
    userVerification: "preferred",
  });
});

test("a passkey is added, and logs in as its member", async () => {
  const { userId, device, passkey } = await registered();
  expect(passkey).toMatchObject({ userId, counter: 0, transports: "internal" });
  const answer = AuthenticationResponse.parse(device.logIn(CHALLENGE, { userId }));
  expect(await verifyAuthentication(answer, { challenge: CHALLENGE, passkey })).toBe(0);
});

test("a device that could not verify its user is let in: verification is preferred, not required", async () => {
  const { device, passkey } = await registered();
  expect(
    await verifyAuthentication(device.logIn(CHALLENGE, { flags: 0x01 }), {
      challenge: CHALLENGE,
      passkey,
    }),
  ).toBe(0);
});

type Registration = { challenge?: string } & Parameters<
  ReturnType<typeof createVirtualAuthenticator>["register"]
>[1];
test.each<[string, Registration]>([
  ["another challenge", { challenge: "b3RoZXI" }],
  ["a page elsewhere", { origin: "https://evil.example" }],
  ["another host", { host: "evil.example" }],
  ["a log-in", { type: "webauthn.get" }],
  ["nobody present", { flags: 0x40 }],
  [
    "an attestation with certificates",
    {
      format: "packed",
      statement: new Map<string, unknown>([
        ["alg", -7],
        ["sig", new Uint8Array(8)],
        ["x5c", [new Uint8Array(8)]],
      ]),
    },
  ],
  [
    "a self attestation signed by nobody",
    {
      format: "packed",
      statement: new Map<string, unknown>([
        ["alg", -7],
        ["sig", new Uint8Array(8)],
      ]),
    },
  ],
  ["an attestation that has the library ask elsewhere", { format: "android-safetynet" }],
])("no passkey is added from %s", async (_, { challenge = CHALLENGE, ...odd }) => {
  const answer = RegistrationResponse.parse(createVirtualAuthenticator().register(challenge, odd));
  await expect(
    verifyRegistration(answer, { challenge: CHALLENGE, userId: "an-id" }),
  ).rejects.toMatchObject({ code: "invalid" });
});

test("no passkey is added whose id is not the one that was signed, or whose bytes are broken", async () => {
  const answer = createVirtualAuthenticator().register(CHALLENGE);
  const other = createVirtualAuthenticator().id;
  for (const broken of [
    { ...answer, id: other, rawId: other },
    { ...answer, rawId: other },
    { ...answer, response: { ...answer.response, attestationObject: "AAAA" } },
    { ...answer, response: { ...answer.response, clientDataJSON: "e30" } },
  ]) {
    await expect(
      verifyRegistration(RegistrationResponse.parse(broken), {
        challenge: CHALLENGE,
        userId: "an-id",
      }),
    ).rejects.toMatchObject({ code: "invalid" });
  }
});

type Login = { challenge?: string } & Parameters<
  ReturnType<typeof createVirtualAuthenticator>["logIn"]
>[1];
test.each<[string, Login]>([
  ["another challenge", { challenge: "b3RoZXI" }],
  ["a page elsewhere", { origin: "https://evil.example" }],
  ["another host", { host: "evil.example" }],
  ["an adding", { type: "webauthn.create" }],
  ["nobody present", { flags: 0x00 }],
  ["a passkey that says it is another member's", { userId: "somebody-else" }],
])("nobody logs in from %s", async (_, { challenge = CHALLENGE, ...odd }) => {
  const { device, passkey } = await registered();
  await expect(
    verifyAuthentication(device.logIn(challenge, odd), { challenge: CHALLENGE, passkey }),
  ).rejects.toMatchObject({ code: "unauthorized" });
});

test("nobody logs in with the signature of another device", async () => {
  const { device, passkey } = await registered();
  const forged = {
    ...createVirtualAuthenticator().logIn(CHALLENGE),
    id: device.id,
    rawId: device.id,
  };
  await expect(
    verifyAuthentication(forged, { challenge: CHALLENGE, passkey }),
  ).rejects.toMatchObject({
    code: "unauthorized",
  });
});

test("a counter that stood still or went back belongs to a copy", async () => {
  const { device, passkey } = await registered(5);
  for (const counter of [0, 4, 5])
    await expect(
      verifyAuthentication(device.logIn(CHALLENGE, { counter }), { challenge: CHALLENGE, passkey }),
    ).rejects.toMatchObject({ code: "unauthorized" });
  const counter = await verifyAuthentication(device.logIn(CHALLENGE, { counter: 6 }), {
    challenge: CHALLENGE,
    passkey,
  });
  await writeSql((sql) => recordPasskeyUse(sql, passkey, counter));
  expect(await readSql((sql) => findPasskey(sql, passkey.id))).toMatchObject({ counter: 6 });
  // A second log-in that was verified against the same row comes too late.
  await expect(writeSql((sql) => recordPasskeyUse(sql, passkey, 6))).rejects.toMatchObject({
    code: "conflict",
  });
});

test("a passkey that was removed while it was verified logs nobody in", async () => {
  const { userId, passkey } = await registered();
  await writeSql((sql) => deletePasskey(sql, { id: passkey.id, userId }));
  await expect(writeSql((sql) => recordPasskeyUse(sql, passkey, 1))).rejects.toMatchObject({
    code: "conflict",
  });
});

test("a passkey is stored once, also for another member", async () => {
  const [ada, bob] = [await user(), await user()];
  await writeSql((sql) => addPasskey(sql, plain(ada)));
  for (const userId of [ada, bob])
    await expect(writeSql((sql) => addPasskey(sql, plain(userId)))).rejects.toMatchObject({
      code: "conflict",
    });
  expect(await readSql((sql) => findPasskey(sql, "a"))).toMatchObject({ userId: ada });
});

test("a member has twenty passkeys at most", async () => {
  const ada = await user();
  for (let i = 0; i < MAX_PASSKEYS; i++)
    await writeSql((sql) => addPasskey(sql, plain(ada, `key-${i}`)));
  await expect(writeSql((sql) => addPasskey(sql, plain(ada, "one-more")))).rejects.toMatchObject({
    code: "conflict",
  });
  await expect(readSql((sql) => listExcludedCredentials(sql, ada))).rejects.toMatchObject({
    code: "conflict",
  });
  expect(await readSql((sql) => listPasskeys(sql, ada))).toHaveLength(MAX_PASSKEYS);
});

test("a member renames and removes their own passkeys and nobody else's", async () => {
  const [ada, bob] = [await user(), await user()];
  await writeSql((sql) => addPasskey(sql, plain(ada)));
  await expect(
    writeSql((sql) => updatePasskeyName(sql, { id: "a", userId: bob, name: "Bob's" })),
  ).rejects.toMatchObject({ code: "not_found" });
  await expect(
    writeSql((sql) => deletePasskey(sql, { id: "a", userId: bob })),
  ).rejects.toMatchObject({ code: "not_found" });
  expect(await readSql((sql) => listPasskeys(sql, bob))).toEqual([]);
  await writeSql((sql) => updatePasskeyName(sql, { id: "a", userId: ada, name: "Desk" }));
  expect(await readSql((sql) => listPasskeys(sql, ada))).toMatchObject([
    { id: "a", name: "Desk", lastUsedAt: null },
  ]);
  await writeSql((sql) => deletePasskey(sql, { id: "a", userId: ada }));
  expect(await readSql((sql) => findPasskey(sql, "a"))).toBeNull();
  await expect(
    writeSql((sql) => deletePasskey(sql, { id: "a", userId: ada })),
  ).rejects.toMatchObject({ code: "not_found" });
});
