// Renders a link that is a whole paragraph as a card, quote or player, or as a plain link without a preview.

import type { LinkPreview } from "#lib/posts/link-previews/link-preview.ts";
import { findLinkPreview } from "#lib/posts/link-previews/preview-registry.ts";
import { Enhanced } from "./enhanced.tsx";

/** The image, from this server: the reader's browser contacts no third party before a click. */
function Picture({ embed }: { embed: LinkPreview }) {
  if (!embed.image) return null;
  const { path, width, height } = embed.image;
  return (
    <img
      className="embed-image"
      src={path}
      width={width}
      height={height}
      alt=""
      loading="lazy"
      decoding="async"
      referrerPolicy="no-referrer"
    />
  );
}

/** Site and author, if known. */
function Source({ embed }: { embed: LinkPreview }) {
  const parts = [embed.siteName, embed.author === embed.siteName ? undefined : embed.author].filter(
    Boolean,
  );
  return parts.length === 0 ? null : <span className="embed-source">{parts.join(" · ")}</span>;
}

function Quote({ embed }: { embed: LinkPreview }) {
  return (
    <figure className="embed embed-quote">
      <blockquote cite={embed.url} dir="auto">
        <p>{embed.description}</p>
      </blockquote>
      <figcaption>
        <a href={embed.url}>{embed.title}</a> on {embed.siteName}
        {embed.published && `, ${embed.published}`}
      </figcaption>
    </figure>
  );
}

const playerActions: Partial<Record<LinkPreview["kind"], string>> = {
  youtube: "Play video",
  codesandbox: "Open sandbox",
  codepen: "Run pen",
};

function Player({ embed, playerUrl }: { embed: LinkPreview; playerUrl: string }) {
  return (
    <figure className="embed embed-media" data-kind={embed.kind}>
      <Enhanced
        script="player"
        className="embed-stage"
        data-player={playerUrl}
        data-title={embed.title}
        data-action={playerActions[embed.kind] ?? "Open"}
        data-site={embed.siteName ?? ""}
      >
        <Picture embed={embed} />
      </Enhanced>
      <figcaption>
        <a href={embed.url}>{embed.title}</a>
        <Source embed={embed} />
      </figcaption>
    </figure>
  );
}

function Card({ embed }: { embed: LinkPreview }) {
  return (
    <div className="embed embed-card">
      <div className="embed-words">
        <Source embed={embed} />
        <a className="embed-title" href={embed.url} dir="auto">
          {embed.title}
        </a>
        {embed.description && (
          <span className="embed-description" dir="auto">
            {embed.description}
          </span>
        )}
      </div>
      <Picture embed={embed} />
    </div>
  );
}

/** Renders from the cached preview; never waits for the network. */
export function Embed({ url }: { url: string }) {
  const embed = findLinkPreview(url);
  if (!embed) {
    return (
      <p className="embed-plain">
        <a href={url}>{url}</a>
      </p>
    );
  }
  if (embed.kind === "tweet") return <Quote embed={embed} />;
  if (embed.playerUrl) return <Player embed={embed} playerUrl={embed.playerUrl} />;
  return <Card embed={embed} />;
}
