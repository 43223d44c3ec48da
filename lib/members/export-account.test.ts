import { describe, expect, test } from "vitest";
import { selectRows } from "#tests/support/database.ts";
import { insertRead, insertUser } from "#tests/support/factories.ts";
import { RECORDING, SECRETS, insertFullAccount } from "#tests/support/full-account-fixture.ts";
import { DAY_MS, nowMs } from "#lib/core/clock.ts";
import { write } from "#lib/db/database.ts";
import { exportAccount } from "./export-account.ts";

describe("the data of a member", () => {
  const whole = async (userId: string) => {
    const pieces: string[] = [];
    for await (const piece of exportAccount(userId)) pieces.push(piece);
    return pieces.join("");
  };

  test("is complete, with recordings, as one JSON document", async () => {
    const ada = await write((tx) => insertFullAccount(tx, "ada"));
    await write((tx) =>
      tx.subscriber.updateMany({ where: { email: "ada@example.test" }, data: { kitId: "4711" } }),
    );
    const data = JSON.parse(await whole(ada.id)) as Record<string, unknown> & { calls: unknown[] };
    expect(data).toMatchObject({
      user: {
        id: ada.id,
        email: ada.email,
        firstName: "ada",
        role: "MEMBER",
        team: "RED",
        createdAt: new Date(ada.createdAt).toISOString(),
      },
      sessions: [{ device: "ada's browser", place: "Frankfurt" }],
      passkeys: [{ name: "ada's key", lastUsedAt: null }],
      unfinishedUploads: [{ bytes: 10 }],
      newsletter: { topics: [], kitId: "4711" },
      queuedMessages: [{ kind: "MAIL", about: "An email about ada" }],
      savedPosts: [{ post: "ada-saved" }],
      unfinishedPosts: [{ post: "ada-started", section: "ada-section" }],
      reads: [{ post: "ada-post" }, { post: "shared-post" }],
    });
    expect(data.calls).toHaveLength(2);
    expect(data.calls).toContainEqual(
      expect.objectContaining({
        title: "ada asks in writing",
        audio: null,
        episode: null,
        declineReason: "Asked before.",
        state: "NEW",
      }),
    );
    const answer = {
      durationMs: 1_000,
      audio: `data:audio/webm;base64,${Buffer.from(SECRETS.answer).toString("base64")}`,
    };
    expect(data.calls).toContainEqual(
      expect.objectContaining({
        title: "ada asks aloud",
        audio: RECORDING,
        episode: expect.objectContaining({
          slug: "ada-episode",
          transcript: "A transcript",
          answer,
        }),
      }),
    );
  });

  test("contains no key, no hash, no admins' notes, and nothing of other members", async () => {
    const { ada } = await write(async (tx) => ({
      bob: await insertFullAccount(tx, "bob"),
      ada: await insertFullAccount(tx, "ada"),
    }));
    const text = await whole(ada.id);
    expect(text).not.toMatch(/\bbob\b/);
    const secrets = await selectRows<{ secret: string }>(
      `SELECT "id" AS "secret" FROM "Session" UNION SELECT "tokenHash" FROM "DeviceLink" UNION SELECT "browserHash" FROM "PasskeyChallenge" UNION SELECT "challenge" FROM "PasskeyChallenge" UNION SELECT "tokenHash" FROM "LoginChallenge" UNION SELECT "codeHash" FROM "LoginChallenge"`,
    );
    const stored = [
      ...secrets.map(({ secret }) => secret),
      SECRETS.key,
      Buffer.from(SECRETS.key).toString("base64"),
      Buffer.from(SECRETS.key).toString("base64url"),
      "a note among admins",
      "the admin",
      "a hash of bytes",
      ...ada.secrets,
    ];
    expect(stored.length).toBeGreaterThan(12);
    for (const secret of stored) expect(text).not.toContain(secret);
  });

  /** Inserts a member who has read 50 posts 50 times. */
  const insertManyReads = () =>
    write((tx) => {
      const user = insertUser(tx);
      for (let i = 0; i < 2_500; i++)
        insertRead(tx, {
          userId: user.id,
          clientId: null,
          postSlug: `post-${i % 50}`,
          createdAt: nowMs() - Math.floor(i / 100) * 8 * DAY_MS,
        });
      return user;
    });

  test("arrives in small chunks for any number of reads", async () => {
    const { id } = await insertManyReads();
    const sizes: number[] = [];
    for await (const piece of exportAccount(id)) sizes.push(piece.length);
    expect(sizes.length).toBeGreaterThan(5);
    const { reads } = JSON.parse(await whole(id)) as { reads: unknown[] };
    expect(reads).toHaveLength(2_500);
  });

  test("continues after a read that is deleted in the meantime", async () => {
    const { id } = await insertManyReads();
    const pieces: string[] = [];
    for await (const piece of exportAccount(id)) {
      pieces.push(piece);
      if (!piece.startsWith(`{"post"`)) continue;
      const last = (JSON.parse(`[${piece}]`) as { post: string }[]).at(-1)!;
      await write((tx) => tx.postRead.deleteMany({ where: { userId: id, postSlug: last.post } }));
    }
    const { reads } = JSON.parse(pieces.join("")) as { reads: unknown[] };
    expect(reads).toHaveLength(2_500);
  });

  test("splits long recordings into small chunks without losing a character", async () => {
    // 700,000 characters, with a surrogate pair across the end of a chunk.
    const base64 = `data:audio/webm;base64,"\\${"a".repeat(262_144 - 26)}😀${"b".repeat(437_000)}`;
    const sound = Uint8Array.from({ length: 500_000 }, (_, i) => i % 251);
    const { id } = await write(async (tx) => {
      const user = await insertFullAccount(tx, "ada");
      await tx.call.updateMany({ where: { title: "ada asks aloud" }, data: { base64 } });
      await tx.callAnswer.updateMany({ data: { audio: sound } });
      return user;
    });
    const pieces: string[] = [];
    for await (const piece of exportAccount(id)) pieces.push(piece);
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThan(300_000);
    const { calls } = JSON.parse(pieces.join("")) as {
      calls: { audio: string | null; episode: { answer: { audio: string } } | null }[];
    };
    const call = calls.find(({ episode }) => episode)!;
    expect(call.audio === base64).toBe(true);
    expect(
      call.episode!.answer.audio ===
        `data:audio/webm;base64,${Buffer.from(sound).toString("base64")}`,
    ).toBe(true);
  });

  test("is refused for a deleted account", async () => {
    await expect(exportAccount("unknown").next()).rejects.toMatchObject({ code: "not_found" });
  });

  test("skips a call that is deleted in the meantime", async () => {
    const { id } = await write((tx) => insertFullAccount(tx, "ada"));
    const pieces: string[] = [];
    for await (const piece of exportAccount(id)) {
      pieces.push(piece);
      if (piece.includes(`"calls":[`))
        await write((tx) => tx.call.deleteMany({ where: { title: "ada asks aloud" } }));
    }
    expect(JSON.parse(pieces.join(""))).toMatchObject({
      calls: [{ title: "ada asks in writing" }],
    });
  });
});
