import { error } from "@sveltejs/kit";
import Database from "better-sqlite3";
import { createPageReader } from "../../../../../shared/post-data.js";

let readPage;

export async function load({ params, cookies }) {
  readPage ??= createPageReader(new Database(process.env.DATABASE_FILE));
  const page = await readPage(params.slug, cookies.get("session"));
  if (!page) error(404);
  return page;
}
