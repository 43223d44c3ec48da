// Runs an S3-compatible object store on loopback, with its objects in memory or in a file.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { waitUntil } from "#cli/cluster/wait-until.ts";
import { findObjectStore } from "#cli/cluster/tools/find-tools.ts";
import { type ObjectStore, openObjectStore } from "#server/backup/object-store.ts";
import { findFreePort } from "./free-port.ts";

export interface TestObjectStore {
  readonly endpoint: string;
  /** The environment variables of a site whose backup is in this store. */
  readonly env: Readonly<Record<string, string>>;
  readonly store: ObjectStore;
  /** Stops the store; `start` continues with its objects if it has a file. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

const BUCKET = "backups";
const START_MS = 30_000;

/** True if the tests can't run, because neither the store nor Go (to build it) is installed. */
export const isObjectStoreMissing = (await findObjectStore()) === null;

/** Starts a store. `file` keeps its objects across a restart. */
export async function startObjectStore({
  file,
  host = "127.0.0.1",
}: { file?: string; host?: string } = {}): Promise<TestObjectStore> {
  const program = (await findObjectStore())!;
  const port = await findFreePort();
  const endpoint = `http://${host}:${port}`;
  const credentials = { region: "auto", accessKeyId: "test", secretAccessKey: "test-secret" };
  const bucket = `${BUCKET}/site`;
  const store = openObjectStore({ endpoint, bucket, attempts: 1, ...credentials });
  let child: ChildProcess | null = null;
  const running: TestObjectStore = {
    endpoint,
    store,
    env: {
      BACKUP_BUCKET: bucket,
      BACKUP_KEY: "test-key-test-key-test-key-test-key",
      BACKUP_INTERVAL_SECONDS: "1",
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_REGION: credentials.region,
      AWS_ENDPOINT_URL_S3: endpoint,
    },
    async start() {
      const backend = file ? ["-backend", "bolt", "-bolt.db", file] : ["-backend", "memory"];
      child = spawn(
        program,
        ["-host", `${host}:${port}`, "-initialbucket", BUCKET, "-quiet", ...backend],
        { stdio: "ignore" },
      );
      await waitUntil("The object store serves", START_MS, () =>
        store.list("").then(
          () => true,
          () => false,
        ),
      );
    },
    async stop() {
      const stopped = child && child.exitCode === null ? once(child, "exit") : null;
      child?.kill("SIGKILL");
      await stopped;
    },
  };
  await running.start();
  return running;
}
