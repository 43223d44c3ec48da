// Inserts the rows of "PostRead" that psql's COPY prints (text, ORDER BY id, dates as milliseconds)
// into an empty database, then creates the indexes. One row per statement, no conversion, no checks:
// the lower bound for bench/migrate.ts.
// Usage: psql … -c 'COPY (…) TO STDOUT' | baseline-sqlite FILE schema.sql indexes.sql

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sqlite3.h"

#define COLUMNS 5
#define BUFFER (1 << 20)

static sqlite3 *db;

static void must(int code, const char *what) {
  if (code == SQLITE_OK || code == SQLITE_DONE) return;
  fprintf(stderr, "%s: %s\n", what, sqlite3_errmsg(db));
  exit(1);
}

static void run_file(const char *name) {
  FILE *file = fopen(name, "rb");
  if (!file) { perror(name); exit(1); }
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  rewind(file);
  char *sql = malloc(size + 1);
  if (!sql || fread(sql, 1, size, file) != (size_t)size) { perror(name); exit(1); }
  sql[size] = 0;
  fclose(file);
  must(sqlite3_exec(db, sql, 0, 0, 0), name);
  free(sql);
}

// Decodes COPY's backslash escapes in place. Returns the new length.
static int unescape(char *text, int length) {
  char *to = memchr(text, '\\', length);
  if (!to) return length;
  for (char *from = to, *end = text + length; from < end;) {
    if (*from != '\\') { *to++ = *from++; continue; }
    from++;
    switch (*from) {
      case 'b': *to++ = '\b'; break;
      case 'f': *to++ = '\f'; break;
      case 'n': *to++ = '\n'; break;
      case 'r': *to++ = '\r'; break;
      case 't': *to++ = '\t'; break;
      case 'v': *to++ = '\v'; break;
      default: *to++ = *from;
    }
    from++;
  }
  return (int)(to - text);
}

int main(int argc, char **argv) {
  if (argc != 4) { fprintf(stderr, "usage: load-limit FILE schema.sql indexes.sql\n"); return 2; }
  must(sqlite3_open(argv[1], &db), "open");
  must(sqlite3_exec(db, "PRAGMA foreign_keys=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-4000; PRAGMA threads=2", 0, 0, 0), "pragmas");
  run_file(argv[2]);
  must(sqlite3_exec(db, "BEGIN", 0, 0, 0), "begin");
  sqlite3_stmt *insert;
  must(sqlite3_prepare_v3(db, "INSERT INTO \"PostRead\" VALUES (?, ?, ?, ?, ?)", -1, SQLITE_PREPARE_PERSISTENT, &insert, 0), "prepare");

  char *buffer = malloc(BUFFER);
  size_t filled = 0;
  for (;;) {
    size_t got = fread(buffer + filled, 1, BUFFER - filled, stdin);
    filled += got;
    char *at = buffer, *end = buffer + filled;
    for (char *line; (line = memchr(at, '\n', end - at)); at = line + 1) {
      char *field = at;
      for (int i = 1; i <= COLUMNS; i++) {
        char *stop = i == COLUMNS ? line : memchr(field, '\t', line - field);
        if (!stop) { fprintf(stderr, "a row with too few columns\n"); return 1; }
        int length = (int)(stop - field);
        if (length == 2 && field[0] == '\\' && field[1] == 'N') sqlite3_bind_null(insert, i);
        else if (i == 2) sqlite3_bind_int64(insert, i, strtoll(field, 0, 10));
        else sqlite3_bind_text(insert, i, field, unescape(field, length), SQLITE_STATIC);
        field = stop + 1;
      }
      must(sqlite3_step(insert), "insert");
      sqlite3_reset(insert);
    }
    filled = end - at;
    memmove(buffer, at, filled);
    if (got == 0) break;
  }
  if (filled) { fprintf(stderr, "a row without an end\n"); return 1; }
  must(sqlite3_finalize(insert), "finalize");
  must(sqlite3_exec(db, "COMMIT", 0, 0, 0), "commit");
  if (getenv("NO_INDEX") == 0) run_file(argv[3]);
  must(sqlite3_close(db), "close");
  return 0;
}
