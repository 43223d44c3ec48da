// Sets up the site for its owner (npm run init), and removes the examples (npm run
// examples:remove).

import { existsSync } from "node:fs";
import { createInterface } from "node:readline/promises";
import { exitWithUsage, parseCommandLine } from "#cli/command-line.ts";
import { nowMs } from "#lib/core/clock.ts";
import { closeDatabase, write } from "#lib/db/database.ts";
import { env } from "#lib/core/env.ts";
import { parseSiteConfig } from "#lib/core/site-config.ts";
import { refreshStandingsHistory } from "#lib/reading/standings-history.ts";
import { removeExampleData } from "../../prisma/seed.ts";
import {
  type Answers,
  FEATURES,
  type Feature,
  addEnvironment,
  hasOwnConfig,
  listExamples,
  removeExamples,
  writeConfig,
  writeFirstContent,
} from "./site-files.ts";

const usage = `Usage: npm run init [-- --name NAME --author NAME --description TEXT --url URL --features LIST]
       npm run examples:remove

Asks five questions and writes ./site.config.ts, ./.env, an about page and a first post.
  --name NAME          the name of the site
  --author NAME        who writes it (default: the name of the site)
  --description TEXT   what it is about, in one line
  --url URL            its public address, such as https://example.com; empty if you don't know yet
  --features LIST      features to turn on: teams, calls, members, newsletter,
                       separated by commas; or none
  --remove-examples    also deletes the example posts and pages
  --force              replaces a site.config.ts that you have edited
Without a terminal, it asks nothing, and --name is required.
Exit codes: 0 success, 1 refused, 2 unknown or missing option.`;

const { flags, words } = parseCommandLine(
  usage,
  {
    name: { type: "string" },
    author: { type: "string" },
    description: { type: "string" },
    url: { type: "string" },
    features: { type: "string" },
    "remove-examples": { type: "boolean" },
    force: { type: "boolean" },
  },
  { words: true },
);
if (words.length > 1 || (words[0] !== undefined && words[0] !== "remove-examples"))
  exitWithUsage(`Unexpected argument: "${words.join(" ")}".`, usage);
if (words[0] === "remove-examples") await removeAllExamples();
else await initialize();

async function removeAllExamples(): Promise<void> {
  reportRemoved(removeExamples(env.CONTENT_DIR));
  // On LiteFS, the database has no examples, and only the site may write.
  if (env.REPLICATION || !existsSync(env.DATABASE_FILE)) return;
  if (await write(removeExampleData)) {
    await refreshStandingsHistory(nowMs());
    console.log("Deleted the example members, reads and episodes.");
  }
  await closeDatabase();
}

async function initialize(): Promise<void> {
  const terminal = process.stdin.isTTY
    ? createInterface({ input: process.stdin, output: process.stdout })
    : null;
  // An iterator, because question() loses lines that are pasted before it is called.
  const lines = terminal?.[Symbol.asyncIterator]();
  const ask = async (question: string, fallback: string) => {
    if (!terminal || !lines) return fallback;
    terminal.setPrompt(`${question}${fallback ? ` (${fallback})` : ""}: `);
    terminal.prompt();
    const { value, done } = await lines.next();
    // Ctrl-D. Nothing is written before the last question.
    if (done) process.exit(1);
    return value.trim() || fallback;
  };
  try {
    if (hasOwnConfig() && !flags.force) {
      const answer = await ask("You have edited site.config.ts. Replace it? y/N", "");
      if (!/^y(es)?$/i.test(answer)) {
        console.error("Nothing was changed. To replace site.config.ts, add --force.");
        process.exitCode = 1;
        return;
      }
    }
    const answers = await readAnswers(ask);
    const examples = listExamples(env.CONTENT_DIR);
    const shouldRemove =
      flags["remove-examples"] ||
      (examples.length > 0 &&
        /^y(es)?$/i.test(
          await ask(`Delete the ${examples.length} example posts and pages? y/N`, ""),
        ));
    // Delete nothing before the owner's files have been written.
    const variables = addEnvironment(answers);
    writeConfig(answers);
    if (shouldRemove) await removeAllExamples();
    const today = new Date(nowMs()).toISOString().slice(0, 10);
    const files = writeFirstContent(env.CONTENT_DIR, answers, today);
    console.log(`Wrote site.config.ts${files.map((file) => `, ${file}`).join("")}.`);
    if (variables.length > 0) console.log(`Added ${variables.join(" and ")} to .env.`);
    console.log("Start the site with: npm start");
  } catch (error) {
    const { code, syscall, path } = error as NodeJS.ErrnoException;
    if (!syscall || !path) throw error;
    console.error(`${path} can't be written (${code}).`);
    process.exitCode = 1;
  } finally {
    terminal?.close();
  }
}

type Ask = (question: string, fallback: string) => Promise<string>;

/** Returns the parsed option or answer. Asks again after an invalid answer. */
async function readAnswer<T>(
  option: string | undefined,
  ask: Ask,
  question: string,
  fallback: string,
  parse: (text: string) => T,
): Promise<T> {
  for (;;) {
    const text = option ?? (await ask(question, fallback));
    try {
      return parse(text);
    } catch (error) {
      const { message } = error as Error;
      if (option !== undefined || !process.stdin.isTTY) exitWithUsage(message, usage);
      console.error(message);
    }
  }
}

async function readAnswers(ask: Ask): Promise<Answers> {
  const name = await readAnswer(flags.name, ask, "1/5 What is the site called?", "", (text) => {
    if (text.trim() === "") throw new Error("The site needs a name.");
    parseSiteConfig({ name: text });
    return text;
  });
  const author = await readAnswer(flags.author, ask, "2/5 Who writes it?", name, (text) => {
    parseSiteConfig({ author: { name: text } });
    return text;
  });
  const description = await readAnswer(
    flags.description,
    ask,
    "3/5 What is it about, in one line?",
    `Notes by ${author}.`,
    (text) => {
      parseSiteConfig({ description: text, author: { bio: text } });
      return text;
    },
  );
  const url = await readAnswer(
    flags.url,
    ask,
    "4/5 What is its URL? Leave empty if you don't know yet",
    "",
    parseOrigin,
  );
  const features = await readAnswer(
    flags.features,
    ask,
    "5/5 Which features should be on? teams, calls, members, newsletter, or none",
    FEATURES.join(","),
    parseFeatures,
  );
  return { name, author, description, url, features };
}

function parseOrigin(url: string): string {
  if (url.trim() === "") return "";
  const parsed = URL.parse(url.includes("://") ? url.trim() : `https://${url.trim()}`);
  if (parsed && /^https?:$/.test(parsed.protocol) && parsed.pathname === "/") return parsed.origin;
  throw new Error(`"${url}" is not an address such as https://example.com.`);
}

/** All other features need members. */
function parseFeatures(list: string): Feature[] {
  const names = list.split(/[\s,]+/).filter((name) => name !== "" && name !== "none");
  const unknown = names.find((name) => !FEATURES.includes(name as Feature));
  if (unknown !== undefined)
    throw new Error(`"${unknown}" is not teams, calls, members, newsletter or none.`);
  return names.length > 0 ? [...new Set([...(names as Feature[]), "members" as const])] : [];
}

function reportRemoved(paths: readonly string[]): void {
  console.log(
    paths.length === 0
      ? "There are no example posts."
      : `Deleted ${paths.length} example posts and pages.`,
  );
}
