// Where the site under test listens, where its clock is set from, who stands in for the hosts of embeds, and who takes its mails.

export const PORT = 3117;
export const CONTROL_PORT = 3118;
export const PROVIDER_PORT = 3119;
export const SMTP_PORT = 3120;
/** The second site, which e2e/attack starts for itself, and the control of its clock. */
export const ATTACK_PORT = 3121;
export const ATTACK_CONTROL_PORT = 3122;
/** Its databases and posts, made anew for each run. */
export const DATA_DIR = ".data/e2e";
export const SECRET = "only-for-the-browser-tests-0123456789";
