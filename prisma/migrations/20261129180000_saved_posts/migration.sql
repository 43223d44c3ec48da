-- Saved posts, and where members stopped reading (docs/decisions/061).

CREATE TABLE "SavedPost" (
    "userId" TEXT NOT NULL,
    "postSlug" TEXT NOT NULL,
    "savedAt" DATETIME NOT NULL CHECK (typeof("savedAt") = 'integer'),
    PRIMARY KEY ("userId", "postSlug"),
    CONSTRAINT "SavedPost_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);

CREATE TABLE "ReadingPlace" (
    "userId" TEXT NOT NULL,
    "postSlug" TEXT NOT NULL,
    "heading" TEXT NOT NULL,
    "updatedAt" DATETIME NOT NULL CHECK (typeof("updatedAt") = 'integer'),
    PRIMARY KEY ("userId", "postSlug"),
    CONSTRAINT "ReadingPlace_userId_fkey" FOREIGN KEY ("userId") REFERENCES "User" ("id") ON DELETE CASCADE ON UPDATE CASCADE
);
