// A link that stands alone in a post: a card, a quote or a player where we know what it is about, else the plain link.

import type { LinkPreview as EmbedData } from "#lib/posts/link-previews/link-preview.ts";
import { findLinkPreview } from "#lib/posts/link-previews/preview-registry.ts";
import { EmbedPlayer } from "./embed-player.tsx";

/** The picture through our own server: a reader's browser meets no stranger before a click. */
function Picture({ embed }: { embed: EmbedData }) {
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

/** "From a, by b": where it is from and who made it, as far as known. */
function Source({ embed }: { embed: EmbedData }) {
  const parts = [embed.siteName, embed.author === embed.siteName ? undefined : embed.author].filter(
    Boolean,
  );
  return parts.length === 0 ? null : <span className="embed-source">{parts.join(" · ")}</span>;
}

function Quote({ embed }: { embed: EmbedData }) {
  return (
    <figure className="embed embed-quote">
      <blockquote cite={embed.url}>
        <p>{embed.description}</p>
      </blockquote>
      <figcaption>
        <a href={embed.url}>{embed.title}</a> on {embed.siteName}
        {embed.published && `, ${embed.published}`}
      </figcaption>
    </figure>
  );
}

const playerActions: Partial<Record<EmbedData["kind"], string>> = {
  youtube: "Play video",
  codesandbox: "Open sandbox",
  codepen: "Run pen",
};

function Player({ embed, playerUrl }: { embed: EmbedData; playerUrl: string }) {
  return (
    <figure className="embed embed-media" data-kind={embed.kind}>
      <EmbedPlayer
        playerUrl={playerUrl}
        title={embed.title}
        action={playerActions[embed.kind] ?? "Open"}
        from={embed.siteName ?? ""}
      >
        <Picture embed={embed} />
      </EmbedPlayer>
      <figcaption>
        <a href={embed.url}>{embed.title}</a>
        <Source embed={embed} />
      </figcaption>
    </figure>
  );
}

function Card({ embed }: { embed: EmbedData }) {
  return (
    <div className="embed embed-card">
      <div className="embed-words">
        <Source embed={embed} />
        <a className="embed-title" href={embed.url}>
          {embed.title}
        </a>
        {embed.description && <span className="embed-description">{embed.description}</span>}
      </div>
      <Picture embed={embed} />
    </div>
  );
}

/** What `url` looks like in a post, by what is known of it now. Waits for nothing; the network is asked elsewhere. */
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
