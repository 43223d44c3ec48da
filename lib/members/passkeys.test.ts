import { expect, test } from "vitest";
import { createVirtualAuthenticator } from "#tests/support/virtual-authenticator.ts";
import { insertUser } from "#tests/support/factories.ts";
import { MINUTE_MS, nowMs, setClock } from "#lib/core/clock.ts";
import { read, write } from "#lib/db/database.ts";
import { consumeCeremonyChallenge, continueCeremony, startCeremony } from "./webauthn-challenge.ts";
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
const user = (overrides = {}) => write((tx) => insertUser(tx, overrides).id);
const challenges = () => read((tx) => tx.passkeyChallenge.count());
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
  await write((tx) => addPasskey(tx, { ...passkey, name: "Mine" }));
  return { userId, device, passkey: (await read((tx) => findPasskey(tx, device.id)))! };
}

test("a second passkey on the same device gets a number, per member", async () => {
  const [ada, bob] = [await user(), await user()];
  const add = (userId: string, id: string, device = "Firefox on Linux") =>
    write(async (tx) => {
      const name = await pickPasskeyName(tx, { userId, name: device });
      await addPasskey(tx, { ...plain(userId, id), name });
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

const consume = (cookie: string | undefined, userId: string | null = null) =>
  write((tx) => consumeCeremonyChallenge(tx, { cookie, userId }));
const proceed = (cookie: string, userId: string | null = null) =>
  read((tx) => continueCeremony(tx, { cookie, userId }));

test("a challenge is consumed once, with its browser's cookie", async () => {
  const { cookie, challenge } = startCeremony(null);
  for (const wrong of [undefined, "", "another", `${cookie}A`, startCeremony("ada").cookie])
    await expect(consume(wrong)).rejects.toMatchObject({ code: "conflict" });
  const both = await Promise.allSettled([consume(cookie), consume(cookie)]);
  expect(both.map((one) => (one.status === "fulfilled" ? one.value : "refused"))).toEqual([
    challenge,
    "refused",
  ]);
  await expect(consume(cookie)).rejects.toMatchObject({ code: "conflict" });
});

test("starting a ceremony writes nothing", async () => {
  const { cookie } = startCeremony(null);
  await proceed(cookie);
  expect(await challenges()).toBe(0);
});

test.each([
  ["challenge", 0],
  ["expiry", 1],
  ["signature", 2],
])("a cookie with another %s is refused", async (_, part) => {
  const parts = startCeremony(null).cookie.split(".");
  setClock(nowMs() + 1_000);
  parts[part] = startCeremony(null).cookie.split(".")[part]!;
  await expect(consume(parts.join("."))).rejects.toMatchObject({ code: "conflict" });
});

test("a challenge expires after five minutes, and using the next one deletes it", async () => {
  setClock(nowMs());
  const [late, used] = [startCeremony(null), startCeremony(null)];
  await consume(used.cookie);
  setClock(nowMs() + 5 * MINUTE_MS);
  await expect(consume(late.cookie)).rejects.toMatchObject({ code: "conflict" });
  await consume(startCeremony(null).cookie);
  expect(await challenges()).toBe(1);
});

test("a challenge is bound to its purpose and its member", async () => {
  const [ada, bob] = [await user(), await user()];
  const adding = startCeremony(ada);
  for (const userId of [null, bob])
    await expect(consume(adding.cookie, userId)).rejects.toMatchObject({ code: "conflict" });
  await expect(consume(startCeremony(null).cookie, ada)).rejects.toMatchObject({
    code: "conflict",
  });
  expect(await consume(adding.cookie, ada)).toBe(adding.challenge);
});

test("a ceremony continues in another tab while it is young and unused", async () => {
  setClock(nowMs());
  const { cookie, challenge } = startCeremony(null);
  expect(await proceed(cookie)).toMatchObject({ cookie, challenge });
  expect((await proceed(cookie, "ada")).challenge).not.toBe(challenge);
  setClock(nowMs() + 2 * MINUTE_MS + 1);
  expect((await proceed(cookie)).challenge).not.toBe(challenge);
  const young = startCeremony(null);
  await consume(young.cookie);
  expect((await proceed(young.cookie)).challenge).not.toBe(young.challenge);
});

test("the database does not store the ceremony's cookie", async () => {
  const { cookie } = startCeremony(null);
  await consume(cookie);
  expect(JSON.stringify(await read((tx) => tx.passkeyChallenge.findMany()))).not.toContain(cookie);
});

test("the options request a discoverable passkey of this host with the stored challenge", async () => {
  const options = await createRegistrationOptions({
    challenge: CHALLENGE,
    expiresAtMs: nowMs() + MINUTE_MS,
    member: { id: "an-id", email: "ada@example.test", firstName: "Ada" },
    excludedCredentials: [{ id: "a", transports: "internal,nonsense" }],
  });
  expect(options).toMatchObject({
    challenge: CHALLENGE,
    rp: { id: "localhost" },
    attestation: "none",
    authenticatorSelection: { residentKey: "required", userVerification: "preferred" },
    excludeCredentials: [{ id: "a", transports: ["internal"] }],
  });
  expect(
    await createAuthenticationOptions({ challenge: CHALLENGE, expiresAtMs: nowMs() + MINUTE_MS }),
  ).toMatchObject({
    challenge: CHALLENGE,
    rpId: "localhost",
    userVerification: "preferred",
  });
});

test("a verified passkey logs in as its member", async () => {
  const { userId, device, passkey } = await registered();
  expect(passkey).toMatchObject({ userId, counter: 0, transports: "internal" });
  const answer = AuthenticationResponse.parse(device.logIn(CHALLENGE, { userId }));
  expect(await verifyAuthentication(answer, { challenge: CHALLENGE, passkey })).toBe(0);
});

test("user verification is preferred, not required", async () => {
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
  ["the type of a login", { type: "webauthn.get" }],
  ["no user present", { flags: 0x40 }],
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
    "a self attestation signed by an unknown key",
    {
      format: "packed",
      statement: new Map<string, unknown>([
        ["alg", -7],
        ["sig", new Uint8Array(8)],
      ]),
    },
  ],
  ["an attestation that has the library ask elsewhere", { format: "android-safetynet" }],
])("a registration with %s is refused", async (_, { challenge = CHALLENGE, ...odd }) => {
  const answer = RegistrationResponse.parse(createVirtualAuthenticator().register(challenge, odd));
  await expect(
    verifyRegistration(answer, { challenge: CHALLENGE, userId: "an-id" }),
  ).rejects.toMatchObject({ code: "invalid" });
});

test("a registration with another ID or corrupt bytes is refused", async () => {
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
  ["no user present", { flags: 0x00 }],
  ["another member's user handle", { userId: "another-member" }],
])("a login with %s is refused", async (_, { challenge = CHALLENGE, ...odd }) => {
  const { device, passkey } = await registered();
  await expect(
    verifyAuthentication(device.logIn(challenge, odd), { challenge: CHALLENGE, passkey }),
  ).rejects.toMatchObject({ code: "unauthorized" });
});

test("a login with another device's signature is refused", async () => {
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

test("a counter that does not increase is refused as a clone", async () => {
  const { device, passkey } = await registered(5);
  for (const counter of [0, 4, 5])
    await expect(
      verifyAuthentication(device.logIn(CHALLENGE, { counter }), { challenge: CHALLENGE, passkey }),
    ).rejects.toMatchObject({ code: "unauthorized" });
  const counter = await verifyAuthentication(device.logIn(CHALLENGE, { counter: 6 }), {
    challenge: CHALLENGE,
    passkey,
  });
  await write((tx) => recordPasskeyUse(tx, passkey, counter));
  expect(await read((tx) => findPasskey(tx, passkey.id))).toMatchObject({ counter: 6 });
  // A concurrent login verified against the same row is refused.
  await expect(write((tx) => recordPasskeyUse(tx, passkey, 6))).rejects.toMatchObject({
    code: "conflict",
  });
});

test("a counter is an unsigned 32-bit integer", async () => {
  const max = 2 ** 32 - 1;
  const userId = await user();
  await write((tx) => addPasskey(tx, { ...plain(userId), counter: max - 1 }));
  const passkey = (await read((tx) => findPasskey(tx, "a")))!;
  await write((tx) => recordPasskeyUse(tx, passkey, max));
  expect(await read((tx) => findPasskey(tx, "a"))).toMatchObject({ counter: max });
});

test("a passkey removed during verification does not log in", async () => {
  const { userId, passkey } = await registered();
  await write((tx) => deletePasskey(tx, { id: passkey.id, userId }));
  await expect(write((tx) => recordPasskeyUse(tx, passkey, 1))).rejects.toMatchObject({
    code: "conflict",
  });
});

test("a passkey is stored once, for one member", async () => {
  const [ada, bob] = [await user(), await user()];
  await write((tx) => addPasskey(tx, plain(ada)));
  for (const userId of [ada, bob])
    await expect(write((tx) => addPasskey(tx, plain(userId)))).rejects.toMatchObject({
      code: "conflict",
    });
  expect(await read((tx) => findPasskey(tx, "a"))).toMatchObject({ userId: ada });
});

test("a member has at most twenty passkeys", async () => {
  const ada = await user();
  for (let i = 0; i < MAX_PASSKEYS; i++)
    await write((tx) => addPasskey(tx, plain(ada, `key-${i}`)));
  await expect(write((tx) => addPasskey(tx, plain(ada, "one-more")))).rejects.toMatchObject({
    code: "conflict",
  });
  await expect(read((tx) => listExcludedCredentials(tx, ada))).rejects.toMatchObject({
    code: "conflict",
  });
  expect(await read((tx) => listPasskeys(tx, ada))).toHaveLength(MAX_PASSKEYS);
});

test("a member renames and removes only their own passkeys", async () => {
  const [ada, bob] = [await user(), await user()];
  await write((tx) => addPasskey(tx, plain(ada)));
  await expect(
    write((tx) => updatePasskeyName(tx, { id: "a", userId: bob, name: "Bob's" })),
  ).rejects.toMatchObject({ code: "not_found" });
  await expect(write((tx) => deletePasskey(tx, { id: "a", userId: bob }))).rejects.toMatchObject({
    code: "not_found",
  });
  expect(await read((tx) => listPasskeys(tx, bob))).toEqual([]);
  await write((tx) => updatePasskeyName(tx, { id: "a", userId: ada, name: "Desk" }));
  expect(await read((tx) => listPasskeys(tx, ada))).toMatchObject([
    { id: "a", name: "Desk", lastUsedAt: null },
  ]);
  await write((tx) => deletePasskey(tx, { id: "a", userId: ada }));
  expect(await read((tx) => findPasskey(tx, "a"))).toBeNull();
  await expect(write((tx) => deletePasskey(tx, { id: "a", userId: ada }))).rejects.toMatchObject({
    code: "not_found",
  });
});
