import { defineConfig } from "prisma/config";

export default defineConfig({
  schema: "prisma/schema.prisma",
  // For `npx prisma studio`. The site opens the file itself.
  datasource: { url: `file:${process.env.DATABASE_FILE ?? ".data/lectern.db"}` },
});
