-- Transcripts that a command is to write (docs/decisions/059). A row is deleted once its transcript is stored.
CREATE TABLE "Transcription" (
    "callId" TEXT NOT NULL PRIMARY KEY,
    "requestedAt" DATETIME NOT NULL CHECK (typeof("requestedAt") = 'integer'),
    "tries" INTEGER NOT NULL DEFAULT 0,
    "nextTryAt" DATETIME CHECK ("nextTryAt" IS NULL OR typeof("nextTryAt") = 'integer'),
    "lastError" TEXT,
    CONSTRAINT "Transcription_callId_fkey" FOREIGN KEY ("callId") REFERENCES "Episode" ("callId") ON DELETE CASCADE ON UPDATE CASCADE
);
CREATE INDEX "Transcription_due" ON "Transcription" ("nextTryAt");
