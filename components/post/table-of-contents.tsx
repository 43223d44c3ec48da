// Renders the headings of a post: in the margin on wide screens, else collapsed above the text.

import { escapeHtml } from "#lib/core/escape-html.ts";
import type { LanguageAttributes } from "#lib/posts/post-language.ts";
import type { Heading } from "#lib/posts/mdx/compiled-post.ts";

/** Posts with fewer headings have no table of contents. */
const MIN_HEADINGS = 3;

interface ContentsProps {
  readonly headings: readonly Heading[];
  /** Of the headings. */
  readonly language: LanguageAttributes;
  readonly title: string;
}

/** As static HTML: React takes more time per element than per text, and long posts have dozens of headings. */
function HeadingLinks({ headings, language }: Omit<ContentsProps, "title">) {
  const html = headings
    .map(
      ({ depth, id, text }) =>
        `<li class="depth-${depth}"><a href="#${escapeHtml(id)}">${escapeHtml(text)}</a></li>`,
    )
    .join("");
  return <ol {...language} dangerouslySetInnerHTML={{ __html: html }} />;
}

function selectHeadings(headings: readonly Heading[]): readonly Heading[] {
  const shown = headings.filter(({ depth }) => depth < 4);
  return shown.length < MIN_HEADINGS ? [] : shown;
}

/** In the margin; CSS shows it from 1100 px. */
export function TocAside({ headings, language, title }: ContentsProps) {
  const shown = selectHeadings(headings);
  if (shown.length === 0) return null;
  return (
    <aside className="toc-aside">
      <nav className="toc" aria-labelledby="toc-title">
        <h2 className="toc-title" id="toc-title">
          {title}
        </h2>
        <HeadingLinks headings={shown} language={language} />
      </nav>
    </aside>
  );
}

/** Collapsed; CSS shows it below 1100 px. */
export function TocDisclosure({ headings, language, title }: ContentsProps) {
  const shown = selectHeadings(headings);
  if (shown.length === 0) return null;
  return (
    <details className="toc-fold">
      <summary>{title}</summary>
      <nav className="toc" aria-label={title}>
        <HeadingLinks headings={shown} language={language} />
      </nav>
    </details>
  );
}
