-- When a session was begun, where "Session"."createdAt" was moved back so that it counts as no recent log-in.
ALTER TABLE "SessionInfo" ADD COLUMN "begunAt" DATETIME CHECK ("begunAt" IS NULL OR typeof("begunAt") = 'integer');
