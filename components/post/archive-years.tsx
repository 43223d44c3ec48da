// Renders links to the years of the archive, or nothing without posts.

export function ArchiveYears({
  years,
  current,
}: {
  years: readonly { readonly year: string; readonly count: number }[];
  current?: string;
}) {
  if (years.length === 0) return null;
  return (
    <nav className="archive-years" aria-labelledby="archive-years">
      <h2 className="muted" id="archive-years">
        Archive
      </h2>
      <ul className="choices">
        {years.map(({ year, count }) => (
          <li key={year}>
            <a
              href={`/blog/archive/${year}`}
              aria-current={year === current ? "page" : undefined}
              title={count === 1 ? "1 post" : `${count} posts`}
            >
              {year}
            </a>
          </li>
        ))}
      </ul>
    </nav>
  );
}
