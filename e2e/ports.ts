// Where the site under test listens, and where its clock is set from.

export const PORT = 3117;
export const CONTROL_PORT = 3118;
/** Its databases, made anew for each run. */
export const DATA_DIR = ".data/e2e";
