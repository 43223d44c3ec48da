import { data } from "react-router";
import { html } from "../../../shared/article.js";
import { readPage } from "../database.server.js";

const findCookie = (header, name) =>
  header
    ?.split("; ")
    .find((pair) => pair.startsWith(`${name}=`))
    ?.slice(name.length + 1);

export async function loader({ request, params }) {
  const page = await readPage(params.slug, findCookie(request.headers.get("cookie"), "session"));
  if (!page) throw data(null, { status: 404 });
  return page;
}

export const meta = ({ data: { post } }) => [
  { title: `${post.title} · Peer` },
  { name: "description", content: post.description },
  { property: "og:title", content: post.title },
  { property: "og:description", content: post.description },
  { property: "og:type", content: "article" },
  { tagName: "link", rel: "canonical", href: `https://peer.example/blog/${post.slug}` },
];

// The article is part of the route's module, as with MDX, so that it is not in the data as well.
export default function Post({ loaderData }) {
  const { post, member, reads, standings, recommendations } = loaderData;
  return (
    <>
      <header className="site-header">
        <a href="/">Peer</a>
        <nav>
          <a href="/blog">Blog</a>
          <a href="/teams">Teams</a>
          <a href="/about">About</a>
          {member ? <a href="/me">{member.firstName}</a> : <a href="/login">Log in</a>}
        </nav>
      </header>
      <main>
        <article>
          <h1>{post.title}</h1>
          <p className="byline">
            <time dateTime={post.date}>{post.date}</time> · {post.minutes} min · {reads} reads
          </p>
          <div dangerouslySetInnerHTML={{ __html: html }} />
        </article>
        <section aria-label="Standings">
          <h2>Standings</h2>
          <ol className="standings">
            {standings.map(({ team, reads: teamReads, score }) => (
              <li key={team}>
                <span>{team}</span>{" "}
                <span>
                  {teamReads} reads, {score.toFixed(2)} each
                </span>
              </li>
            ))}
          </ol>
        </section>
        <section aria-label="Keep reading">
          <h2>Keep reading</h2>
          <ul className="cards">
            {recommendations.map((card) => (
              <li key={card.slug} className="card">
                <a href={`/blog/${card.slug}`}>{card.title}</a>
                <p>{card.description}</p>
                <p>
                  {card.leader}
                  {card.isRead && " · read"}
                </p>
              </li>
            ))}
          </ul>
        </section>
      </main>
      <footer className="site-footer">
        <a href="/feed.xml">Feed</a>
        <a href="/privacy">Privacy</a>
      </footer>
    </>
  );
}
