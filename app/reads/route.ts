// POST /reads. The benchmarks replace this route, so the work is in count-read.ts.

export { countRead as POST } from "./count-read.ts";
