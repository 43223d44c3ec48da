import { resolve } from "node:path";
import { defineConfig } from "prisma/config";

const file = resolve(process.env.DATABASE_FILE ?? ".data/lectern.db");

export default defineConfig({
  schema: "prisma/schema.prisma",
  // For `npx prisma studio`, which accepts only absolute URLs. The site opens the file itself.
  datasource: { url: `file://${file}` },
});
