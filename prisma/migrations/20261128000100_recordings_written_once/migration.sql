-- A recording is written once: the parts of its upload are the recording of the call (docs/decisions/032).
-- "contentType" is set from when the upload becomes a call until that call is deleted; meanwhile the upload does not expire.
ALTER TABLE "Upload" ADD COLUMN "contentType" TEXT;
CREATE INDEX "Upload_of_a_call" ON "Upload"("callId");
CREATE INDEX "Upload_expired" ON "Upload"("createdAt") WHERE "contentType" IS NULL;

-- A deleted call takes its recording along. The upload's row expires later: sent again, it is refused.
CREATE TRIGGER "Call_deleted" AFTER DELETE ON "Call"
BEGIN
    DELETE FROM "UploadPart" WHERE "uploadId" IN (SELECT "id" FROM "Upload" WHERE "callId" = OLD."id");
    UPDATE "Upload" SET "contentType" = NULL WHERE "callId" = OLD."id" AND "contentType" IS NOT NULL;
END;
