// What Node is told when it serves the site: the same for start, tests, measurements and the image.

/**
 * A page's objects live for milliseconds. Left alone, V8 gives such objects up to 128 MB and lets the rest of the heap
 * quadruple before it cleans up: 600 MB for a site that holds 60. With these it stays near 300 (docs/benchmarks.md).
 */
export const SERVER_FLAGS = ["--max-semi-space-size=16", "--heap-growing-percent=40"];
