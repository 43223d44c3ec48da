-- Links to posts that readers can't see yet (docs/decisions/058).

CREATE TABLE "PreviewLink" (
    "id" TEXT NOT NULL PRIMARY KEY,
    "postSlug" TEXT NOT NULL,
    "createdAt" DATETIME NOT NULL DEFAULT CURRENT_TIMESTAMP CHECK (typeof("createdAt") = 'integer'),
    "expiresAt" DATETIME NOT NULL CHECK (typeof("expiresAt") = 'integer')
);
CREATE INDEX "PreviewLink_of_a_post" ON "PreviewLink" ("postSlug");
