import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { NotPrimaryError } from "./change-source.ts";
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
