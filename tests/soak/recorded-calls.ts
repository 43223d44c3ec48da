// Sends recorded calls through random regions: each is an upload in parts and a form, and must not
// be lost once it is acknowledged.

import { createHash, randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { Cluster } from "#cli/cluster/cluster.ts";
import type { ClusterNode } from "#cli/cluster/node.ts";
import { PART_BYTES } from "#lib/calls/upload.ts";
import { makeOpusWebm } from "#tests/support/audio.ts";
import { ClusterClient } from "#tests/support/cluster/cluster-client.ts";
import { type SeededMember, queryNode, seedMembers } from "#tests/support/cluster/node-database.ts";
import { pick } from "#tests/support/random.ts";

const PAUSE_MS = 2_000;
/** A member may have 20 calls without an answer, and sends at most ten a day. */
const MEMBERS = 200;
/** Every tenth recording has two parts. */
const [SHORT_SECONDS, LONG_SECONDS] = [2, 70];

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

export interface SentCall {
  readonly id: string;
  readonly sha256: string;
  readonly answeredMs: number;
}

export class RecordedCalls {
  readonly sent: SentCall[] = [];
  /** Why calls were not acknowledged. They may still be stored. */
  readonly refusals: string[] = [];
  readonly #cluster: Cluster;
  readonly #members: readonly SeededMember[];
  readonly #timeoutMs: number;
  #isOver = false;
  #running: Promise<void> = Promise.resolve();

  private constructor(cluster: Cluster, members: readonly SeededMember[], timeoutMs: number) {
    this.#cluster = cluster;
    this.#members = members;
    this.#timeoutMs = timeoutMs;
  }

  /** Starts sending; a request is given up after `timeoutMs`. */
  static async start(cluster: Cluster, timeoutMs: number): Promise<RecordedCalls> {
    const calls = new RecordedCalls(cluster, await seedMembers(cluster, MEMBERS), timeoutMs);
    calls.#running = calls.#run();
    return calls;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#running;
  }

  /** Returns the acknowledged calls whose recording is missing or differs on `node`. */
  findLost(node: ClusterNode): SentCall[] {
    const parts = queryNode<{ callId: string; bytes: Buffer }>(
      node,
      `SELECT "callId", "bytes" FROM "Call" JOIN "Upload" ON "callId" = "Call"."id"
         JOIN "UploadPart" ON "uploadId" = "Upload"."id" ORDER BY "callId", "number"`,
    );
    const stored = new Map<string, Buffer[]>();
    for (const { callId, bytes } of parts)
      stored.set(callId, [...(stored.get(callId) ?? []), bytes]);
    return this.sent.filter(
      (call) => sha256(Buffer.concat(stored.get(call.id) ?? [])) !== call.sha256,
    );
  }

  async #run(): Promise<void> {
    for (let turn = 0; !this.#isOver; turn += 1) {
      const member = this.#members[turn % this.#members.length]!;
      const seconds = turn % 10 === 9 ? LONG_SECONDS : SHORT_SECONDS;
      try {
        this.sent.push(await this.#send(member, makeOpusWebm({ seconds, seed: turn })));
      } catch (error) {
        this.refusals.push((error as Error).message);
      }
      await sleep(PAUSE_MS);
    }
  }

  /** Sends one call like the recorder. Throws if a step is refused. */
  async #send({ session }: SeededMember, bytes: Uint8Array): Promise<SentCall> {
    const client = new ClusterClient(this.#cluster, { session });
    const region = () => pick(Math.random, [...this.#cluster.edges.keys()]);
    const timeoutMs = this.#timeoutMs;
    const upload = { id: randomUUID(), size: bytes.length, sha256: sha256(bytes) };
    const expectStatus = (step: string, actual: number, expected: number) => {
      if (actual !== expected) throw new Error(`${step}: ${actual}`);
    };
    try {
      const announced = await client.request(region(), "/calls/upload", {
        method: "POST",
        body: JSON.stringify(upload),
        timeoutMs,
      });
      expectStatus("announcement", announced.status, 200);
      for (let part = 0; part * PART_BYTES < bytes.length; part += 1) {
        const { status } = await client.request(region(), `/calls/upload/${upload.id}/${part}`, {
          method: "PUT",
          body: Buffer.from(bytes.subarray(part * PART_BYTES, (part + 1) * PART_BYTES)),
          timeoutMs,
        });
        expectStatus(`part ${part}`, status, 204);
      }
      const form = await client.findForm(region(), "/calls/record", ["title", "uploadId"]);
      const { status, headers } = await client.submitForm(
        region(),
        "/calls/record",
        form,
        {
          title: "A question of the soak",
          description: "Is this recording still there at the end?",
          keywords: "soak, test",
          uploadId: upload.id,
        },
        { timeoutMs },
      );
      expectStatus("form", status, 303);
      const id = new URL(headers.location!, "http://site").searchParams.get("sent");
      if (!id) throw new Error(`form: redirected to ${headers.location}`);
      return { id, sha256: upload.sha256, answeredMs: performance.now() };
    } finally {
      client.close();
    }
  }
}
