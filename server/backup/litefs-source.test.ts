import {
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { serveHttp } from "#tests/support/test-server.ts";
import { NotPrimaryError } from "./change-source.ts";
import { checksumFile } from "./database-checksum.ts";
import { openLitefsSource } from "./litefs-source.ts";

const NAME = "lectern.db";

test("a copy of the database is deleted if this instance stops being the primary meanwhile", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lectern-litefs-source-"));
  mkdirSync(join(dir, "dbs", NAME, "ltx"), { recursive: true });
  writeFileSync(join(dir, "dbs", NAME, "database"), "database");
  let isPrimary = true;
  const litefs = createServer((request, response) => {
    if (request.url !== "/debug/vars") isPrimary = false;
    response.end(
      request.url === "/debug/vars"
        ? JSON.stringify({
            store: { isPrimary, candidate: true, dbs: { [NAME]: { txid: "1", checksum: "f" } } },
          })
        : "database",
    );
  });
  await new Promise<void>((resolve) => litefs.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    litefs.close();
    rmSync(dir, { recursive: true });
  });
  const scratchFile = join(dir, "snapshot.db");
  const source = openLitefsSource({
    url: `http://127.0.0.1:${(litefs.address() as AddressInfo).port}`,
    storeDir: dir,
    name: NAME,
    scratchFile,
  });
  await expect(source.freeze()).rejects.toThrow(NotPrimaryError);
  expect(existsSync(scratchFile)).toBe(false);
});

test("a copy of the database takes no space if the process is killed", async () => {
  const dir = mkdtempSync(join(tmpdir(), "lectern-litefs-source-"));
  mkdirSync(join(dir, "dbs", NAME, "ltx"), { recursive: true });
  const file = join(dir, "dbs", NAME, "database");
  const content = Buffer.alloc(256 * 4096, "pages");
  writeFileSync(file, content);
  const databaseFd = openSync(file, "r");
  const checksum = checksumFile(databaseFd, 4096, content.length);
  closeSync(databaseFd);
  const dbs = { [NAME]: { txid: "5", checksum } };
  const litefs = await serveHttp((request, response) =>
    response.end(
      request.url === "/debug/vars"
        ? JSON.stringify({ store: { isPrimary: true, candidate: true, dbs } })
        : content,
    ),
  );
  onTestFinished(async () => {
    await litefs.close();
    rmSync(dir, { recursive: true });
  });
  const scratchFile = join(dir, "snapshot.db");
  const options = { url: litefs.origin, storeDir: dir, name: NAME, scratchFile };
  const { fd, bytes, position, release } = await openLitefsSource(options).freeze();
  expect([bytes, position]).toEqual([content.length, { txid: 5, checksum }]);
  const copy = Buffer.alloc(bytes);
  readSync(fd, copy, 0, bytes, 0);
  expect(copy.equals(content)).toBe(true);
  expect(existsSync(scratchFile)).toBe(false);
  release();
});
