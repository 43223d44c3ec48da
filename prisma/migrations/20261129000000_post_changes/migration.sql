-- When the text of each post last changed, the same in all regions and after a restart (docs/decisions/047).
CREATE TABLE "PostChange" (
    "postId" TEXT NOT NULL PRIMARY KEY,
    "blobSha" TEXT NOT NULL,
    "changedAt" DATETIME CHECK ("changedAt" IS NULL OR typeof("changedAt") = 'integer')
);
ALTER TABLE "ContentVersion" ADD COLUMN "changesAt" DATETIME CHECK ("changesAt" IS NULL OR typeof("changesAt") = 'integer');
