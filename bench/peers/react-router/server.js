// Serves the build with Express, as the Epic Stack does, without its access log.

import { createRequestHandler } from "@react-router/express";
import compression from "compression";
import express from "express";

const app = express();
app.disable("x-powered-by");
app.use(compression());
app.use("/assets", express.static("build/client/assets", { immutable: true, maxAge: "1y" }));
app.use(express.static("build/client", { maxAge: "1h" }));
app.all("*splat", createRequestHandler({ build: await import("./build/server/index.js") }));
app.listen(Number(process.env.PORT), "127.0.0.1");
