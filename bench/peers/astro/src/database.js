import Database from "better-sqlite3";
import { createPageReader, createReadCounter } from "../../shared/post-data.js";

const db = new Database(process.env.DATABASE_FILE);
export const readPage = createPageReader(db);
export const countRead = createReadCounter(db);
