// The production build on a new database, with the control of its clock loaded beside it.

import { spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { migrate } from "#lib/db/migrations.ts";
import { CONTROL_PORT, DATA_DIR, PORT } from "./ports.ts";

rmSync(DATA_DIR, { recursive: true, force: true });
await migrate(join(DATA_DIR, "lectern.db"), "prisma/migrations");

const child = spawn(process.execPath, ["--import", "./e2e/control.ts", "node_modules/next/dist/bin/next", "start", "-p", String(PORT)], {
  stdio: "inherit",
  env: {
    ...process.env,
    NODE_ENV: "production",
    DATA_DIR,
    SITE_URL: `http://localhost:${PORT}`,
    SESSION_SECRET: "only-for-the-browser-tests-0123456789",
    LOG_LEVEL: process.env.LOG_LEVEL ?? "warn",
    CONTROL_PORT: String(CONTROL_PORT),
    REPOSITORY_URL: "https://example.test/lectern",
  },
});
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => child.kill(signal));
child.on("exit", (code) => process.exit(code ?? 0));
