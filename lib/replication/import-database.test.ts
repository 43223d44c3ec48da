import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { existsSync } from "node:fs";
import { join } from "node:path";
import Database from "better-sqlite3";
import { afterEach, beforeEach, expect, test } from "vitest";
import { importDatabase } from "./import-database.ts";
import { useFreshDatabase } from "#tests/support/fresh-database.ts";

let dir: string;
let cleanUp: () => Promise<void>;
let received: number;
const server = createServer((request, response) => {
  request
    .on("data", (chunk: Buffer) => (received += chunk.length))
    .on("end", () =>
      response
        .writeHead(request.url === "/import?name=site.db" ? 200 : 503)
        .end("read only replica"),
    );
});
let url: string;

beforeEach(async () => {
  ({ dir, cleanUp } = useFreshDatabase());
  received = 0;
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.close();
  await cleanUp();
});

/** Creates a database with one table. */
function make(pragmas: string[]): string {
  const file = join(dir, "made.db");
  const db = new Database(file);
  for (const pragma of pragmas) db.pragma(pragma);
  db.exec("CREATE TABLE t (x)");
  db.close();
  return file;
}

const into = (file: string, name = "site.db") =>
  importDatabase({ url, name, file, timeoutMs: 5_000 });

test("a database in WAL mode with 4096-byte pages is sent in full", async () => {
  const file = make(["page_size = 4096", "journal_mode = WAL"]);
  await into(file);
  expect(received).toBe(2 * 4096);
});

test("files that LiteFS would accept but break on are refused", async () => {
  await expect(into(make(["page_size = 8192", "journal_mode = WAL"]))).rejects.toThrow("8192");
  await expect(into(join(import.meta.dirname, "import-database.ts"))).rejects.toThrow(
    "is not a SQLite database",
  );
  expect(received).toBe(0);
});

test("another journal mode and a -wal file are refused", async () => {
  const file = make(["page_size = 4096"]);
  await expect(into(file)).rejects.toThrow("WAL");
  const open = new Database(file);
  open.pragma("journal_mode = WAL");
  open.exec("INSERT INTO t VALUES (1)");
  expect(existsSync(`${file}-wal`)).toBe(true);
  await expect(into(file)).rejects.toThrow("has a -wal file");
  open.close();
  expect(received).toBe(0);
});

test("LiteFS's error is passed on", async () => {
  await expect(into(make(["journal_mode = WAL"]), "other.db")).rejects.toThrow("read only replica");
});
