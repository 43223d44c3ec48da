// Serves the article with Fastify and an Eta template, and the same bytes from memory.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import cookie from "@fastify/cookie";
import statics from "@fastify/static";
import view from "@fastify/view";
import Database from "better-sqlite3";
import { Eta } from "eta";
import Fastify from "fastify";
import { html } from "../shared/article.js";
import { createPageReader } from "../shared/post-data.js";

const here = import.meta.dirname;
const db = new Database(process.env.DATABASE_FILE);
const readPage = createPageReader(db);

const app = Fastify();
app.register(cookie);
app.register(statics, { root: join(here, "public"), prefix: "/assets/" });
app.register(view, {
  engine: { eta: new Eta({ cache: true }) },
  root: join(here, "views"),
  viewExt: "eta",
});

app.get("/blog/:slug", async (request, reply) => {
  const page = await readPage(request.params.slug, request.cookies.session);
  if (!page) return reply.code(404).send("Not found");
  return reply.viewAsync("post", { ...page, html });
});

const type = "text/html; charset=utf-8";
/** The template's own page, rendered once. */
let rendered;
app.get("/memory/blog/:slug", async (request, reply) => {
  if (!rendered) {
    const page = await readPage(request.params.slug, undefined);
    rendered = Buffer.from(await app.view("post", { ...page, html }));
  }
  return reply.type(type).send(rendered);
});

/** The bytes of Lectern's page. */
const given = readFileSync(join(here, "..", "shared", "lectern.html"));
app.get("/memory/lectern", (_, reply) => reply.type(type).send(given));

await app.listen({ port: Number(process.env.PORT), host: "127.0.0.1" });
