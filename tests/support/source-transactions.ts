// Defines the source writer's transactions: everyday actions, and cases that are hard to replicate.

import { randomUUID } from "node:crypto";
import { WORDS } from "./source-site.ts";
import type { RowImage, SourceTable } from "./source-ledger.ts";

/**
 * Rows that only one connection writes to, so that their last acknowledged state is the current
 * one.
 */
export interface Lane {
  /** Returns a deterministic number in [0, 1). */
  random(): number;
  /** Ids per table. `anonymous` are reads without a member, a subset of the reads. */
  readonly pools: Readonly<Record<SourceTable | "anonymous", IdPool>>;
}

/** An open transaction. Its methods return the rows afterwards. */
export interface SourceTransaction {
  insert(table: SourceTable, ...rows: Record<string, string | null>[]): Promise<RowImage[]>;
  /** Updates a row. A new `id` counts as a new row that replaces the old one. */
  update(
    table: SourceTable,
    ids: readonly string[],
    set: Record<string, string | null>,
  ): Promise<RowImage[]>;
  /** Deletes a row. Cascades to the rows of a user. */
  remove(table: SourceTable, id: string): Promise<void>;
  read(table: SourceTable, id: string): Promise<RowImage>;
  /** Rolls `work` back to a savepoint. */
  rollBack(work: () => Promise<unknown>): Promise<void>;
}

export interface TransactionKind {
  /** Its relative frequency. */
  readonly weight: number;
  readonly isRolledBack?: boolean;
  /** The minimum number of rows per pool. */
  readonly needs?: Partial<Record<SourceTable | "anonymous", number>>;
  work(tx: SourceTransaction, lane: Lane): Promise<unknown>;
}

/** A set of ids with random access. */
export class IdPool {
  readonly #ids: string[] = [];
  readonly #places = new Map<string, number>();

  get size(): number {
    return this.#ids.length;
  }

  add(id: string): void {
    if (this.#places.has(id)) return;
    this.#places.set(id, this.#ids.push(id) - 1);
  }

  delete(id: string): void {
    const place = this.#places.get(id);
    if (place === undefined) return;
    const last = this.#ids.pop()!;
    this.#places.delete(id);
    if (last === id) return;
    this.#ids[place] = last;
    this.#places.set(last, place);
  }

  /** Picks up to `count` distinct ids. */
  pick(random: () => number, count: number): string[] {
    const start = Math.floor(random() * this.#ids.length);
    return Array.from(
      { length: Math.min(count, this.#ids.length) },
      (_, i) => this.#ids[(start + i) % this.#ids.length]!,
    );
  }
}

const now = () => new Date().toISOString();
const YEAR_MS = 365 * 86_400_000;
const oneYearFromNow = () => new Date(Date.now() + YEAR_MS).toISOString();
const pickIds = (lane: Lane, from: SourceTable | "anonymous", count = 1) =>
  lane.pools[from].pick(lane.random, count) as [string, ...string[]];
const pickWord = ({ random }: Lane) => WORDS[Math.floor(random() * WORDS.length)]!;

function newRead(
  lane: Lane,
  userId: string | null = lane.random() < 0.3 ? (pickIds(lane, "User")[0] ?? null) : null,
): Record<string, string | null> {
  return {
    id: randomUUID(),
    createdAt: now(),
    userId,
    clientId: userId === null ? randomUUID() : null,
    postSlug: `old-post-${Math.ceil(200 * lane.random() ** 3)}`,
  };
}

function newUser(lane: Lane, email = `${randomUUID()}@example.org`): Record<string, string | null> {
  return {
    id: randomUUID(),
    createdAt: now(),
    updatedAt: now(),
    email,
    firstName: pickWord(lane),
    discordId: null,
    convertKitId: lane.random() < 0.5 ? "" : null,
    role: "MEMBER",
    team: ["RED", "BLUE", "YELLOW"][Math.floor(lane.random() * 3)]!,
  };
}

const newSession = (userId: string) => ({
  id: randomUUID(),
  createdAt: now(),
  userId,
  expirationDate: oneYearFromNow(),
});

/**
 * Creates a call whose recording is TOASTed, so that an update of another column does not send it.
 */
function newCall(lane: Lane): Record<string, string> {
  const sound = Buffer.from(
    Array.from({ length: 3_000 + Math.floor(lane.random() * 30_000) }, () =>
      Math.floor(lane.random() * 256),
    ),
  ).toString("base64");
  return {
    id: randomUUID(),
    createdAt: now(),
    updatedAt: now(),
    title: `Question ${pickWord(lane)}`,
    description: pickWord(lane).repeat(1 + Math.floor(lane.random() * 300)),
    keywords: "a,b",
    userId: pickIds(lane, "User")[0],
    base64: `data:audio/webm;base64,${sound}`,
  };
}

/** The kinds of transactions by name. The weights add up to about 100. */
export const TRANSACTION_KINDS = {
  read: { weight: 36, work: (tx, lane) => tx.insert("PostRead", newRead(lane)) },
  reads: {
    weight: 6,
    async work(tx, lane) {
      for (let i = 0; i < 3; i += 1) await tx.insert("PostRead", newRead(lane));
    },
  },
  manyReads: {
    weight: 0.3,
    work: (tx, lane) => tx.insert("PostRead", ...Array.from({ length: 200 }, () => newRead(lane))),
  },
  claim: {
    weight: 7,
    needs: { anonymous: 1, User: 1 },
    work: (tx, lane) =>
      tx.update("PostRead", pickIds(lane, "anonymous", 3), { userId: pickIds(lane, "User")[0] }),
  },
  deleteRead: {
    weight: 3,
    needs: { PostRead: 20 },
    work: (tx, lane) => tx.remove("PostRead", pickIds(lane, "PostRead")[0]),
  },
  logIn: {
    weight: 6,
    needs: { User: 1 },
    work: (tx, lane) => tx.insert("Session", newSession(pickIds(lane, "User")[0])),
  },
  renew: {
    weight: 8,
    needs: { Session: 1 },
    work: (tx, lane) =>
      tx.update("Session", pickIds(lane, "Session"), { expirationDate: oneYearFromNow() }),
  },
  logOut: {
    weight: 4,
    needs: { Session: 5 },
    work: (tx, lane) => tx.remove("Session", pickIds(lane, "Session")[0]),
  },
  signUp: {
    weight: 5,
    async work(tx, lane) {
      const user = newUser(lane);
      await tx.insert("User", user);
      await tx.insert("Session", newSession(user.id!));
      if (lane.pools.anonymous.size > 0)
        await tx.update("PostRead", pickIds(lane, "anonymous", 2), { userId: user.id! });
    },
  },
  rename: {
    weight: 6,
    needs: { User: 1 },
    work: (tx, lane) =>
      tx.update("User", pickIds(lane, "User"), { firstName: pickWord(lane), updatedAt: now() }),
  },
  changeTeam: {
    weight: 1,
    needs: { User: 1 },
    work: (tx, lane) => tx.update("User", pickIds(lane, "User"), { team: "BLUE" }),
  },
  leave: {
    weight: 1.5,
    needs: { User: 5 },
    work: (tx, lane) => tx.remove("User", pickIds(lane, "User")[0]),
  },
  call: { weight: 1, needs: { User: 1 }, work: (tx, lane) => tx.insert("Call", newCall(lane)) },
  retitle: {
    weight: 2,
    needs: { Call: 1 },
    work: (tx, lane) =>
      tx.update("Call", pickIds(lane, "Call"), {
        title: `Renamed ${pickWord(lane)}`,
        updatedAt: now(),
      }),
  },
  recordAgain: {
    weight: 0.5,
    needs: { Call: 1, User: 1 },
    work: (tx, lane) => tx.update("Call", pickIds(lane, "Call"), { base64: newCall(lane).base64! }),
  },
  deleteCall: {
    weight: 0.7,
    needs: { Call: 2 },
    work: (tx, lane) => tx.remove("Call", pickIds(lane, "Call")[0]),
  },
  half: {
    weight: 3,
    needs: { User: 1 },
    async work(tx, lane) {
      await tx.insert("PostRead", newRead(lane));
      await tx.rollBack(async () => {
        await tx.insert("PostRead", newRead(lane));
        await tx.update("User", pickIds(lane, "User"), { firstName: "never" });
      });
      await tx.insert("PostRead", newRead(lane));
    },
  },
  nothing: {
    weight: 3,
    isRolledBack: true,
    needs: { User: 2, Session: 2 },
    async work(tx, lane) {
      await tx.insert("PostRead", newRead(lane));
      await tx.update("Session", pickIds(lane, "Session"), { expirationDate: "1999-01-01" });
      await tx.remove("User", pickIds(lane, "User")[0]);
    },
  },
  newSessionKey: {
    weight: 1,
    needs: { Session: 1 },
    work: (tx, lane) => tx.update("Session", pickIds(lane, "Session"), { id: randomUUID() }),
  },
  newReadKey: {
    weight: 0.5,
    needs: { PostRead: 1 },
    work: (tx, lane) => tx.update("PostRead", pickIds(lane, "PostRead"), { id: randomUUID() }),
  },
  newCallKey: {
    weight: 0.5,
    needs: { Call: 1 },
    work: (tx, lane) => tx.update("Call", pickIds(lane, "Call"), { id: randomUUID() }),
  },
  sameKeyAgain: {
    weight: 1,
    needs: { PostRead: 1 },
    async work(tx, lane) {
      const [id] = pickIds(lane, "PostRead");
      await tx.remove("PostRead", id);
      await tx.insert("PostRead", { ...newRead(lane, null), id });
    },
  },
  fleeting: {
    weight: 1,
    async work(tx, lane) {
      const read = newRead(lane);
      await tx.insert("PostRead", read);
      await tx.update("PostRead", [read.id!], { postSlug: "elsewhere" });
      await tx.remove("PostRead", read.id!);
    },
  },
  swapKeys: {
    weight: 0.5,
    needs: { Session: 2 },
    async work(tx, lane) {
      const [one, other] = pickIds(lane, "Session", 2) as [string, string];
      const between = randomUUID();
      await tx.update("Session", [one], { id: between });
      await tx.update("Session", [other], { id: one });
      await tx.update("Session", [between], { id: other });
    },
  },
  swapEmails: {
    weight: 0.5,
    needs: { User: 2 },
    async work(tx, lane) {
      const [one, other] = pickIds(lane, "User", 2) as [string, string];
      const [{ email: first }, { email: second }] = [
        await tx.read("User", one),
        await tx.read("User", other),
      ];
      await tx.update("User", [one], { email: randomUUID() });
      await tx.update("User", [other], { email: first! });
      await tx.update("User", [one], { email: second! });
    },
  },
  rejoin: {
    weight: 0.5,
    needs: { User: 5 },
    async work(tx, lane) {
      const [id] = pickIds(lane, "User");
      const { email } = await tx.read("User", id);
      await tx.remove("User", id);
      await tx.insert("User", newUser(lane, email!));
    },
  },
} satisfies Record<string, TransactionKind>;

export type TransactionKindName = keyof typeof TRANSACTION_KINDS;
