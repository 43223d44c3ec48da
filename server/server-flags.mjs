// Defines the Node flags and environment for serving the site, in production, tests, benchmarks and the image.

/**
 * Limits how far V8's heap grows before garbage collection. By default, it reaches 600 MB for 60 MB
 * in use; with these flags it stays near 300 MB.
 */
export const SERVER_FLAGS = ["--max-semi-space-size=16", "--heap-growing-percent=40"];

/**
 * glibc keeps freed memory in up to eight arenas per core. Two arenas save about 75 MB;
 * JavaScript runs in one thread, so few threads compete for them.
 */
export const SERVER_ENV = { MALLOC_ARENA_MAX: "2" };
