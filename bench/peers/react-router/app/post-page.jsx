// Renders a post's page around its article, and its metadata.

export const describePost = ({ data: { post } }) => [
  { title: `${post.title} · Peer` },
  { name: "description", content: post.description },
  { property: "og:title", content: post.title },
  { property: "og:description", content: post.description },
  { property: "og:type", content: "article" },
  { tagName: "link", rel: "canonical", href: `https://peer.example/blog/${post.slug}` },
];

export function PostPage({ loaderData, children }) {
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
          {children}
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
