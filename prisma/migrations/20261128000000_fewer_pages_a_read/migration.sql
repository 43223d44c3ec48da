-- A commit on LiteFS costs what its pages cost, each of them through FUSE and to every region (docs/decisions/025). A read now
-- changes one page of its own, that of its reader's index; all others it shares with the reads that are committed with it.

-- A member's read is not in the index of anonymous readers, nor the other way round.
DROP INDEX "PostRead_has_member_read";
CREATE INDEX "PostRead_has_member_read" ON "PostRead"("userId", "postSlug", "createdAt") WHERE "userId" IS NOT NULL;
DROP INDEX "PostRead_has_client_read";
CREATE INDEX "PostRead_has_client_read" ON "PostRead"("clientId", "postSlug", "createdAt") WHERE "clientId" IS NOT NULL;

-- Used tokens in the order in which they expire, and in one tree: a nonce is random, its expiry grows.
CREATE TABLE "UsedTokenByExpiry" (
    "nonce" TEXT NOT NULL,
    "expiresAt" DATETIME NOT NULL CHECK (typeof("expiresAt") = 'integer'),
    PRIMARY KEY ("expiresAt", "nonce")
) WITHOUT ROWID;
INSERT INTO "UsedTokenByExpiry" ("nonce", "expiresAt") SELECT "nonce", "expiresAt" FROM "UsedToken";
DROP TABLE "UsedToken";
ALTER TABLE "UsedTokenByExpiry" RENAME TO "UsedToken";
