// Renders search results as a list.

import { MarkedText } from "#components/ui/marked-text.tsx";
import { en } from "#lib/core/messages/browser/en.ts";
import { languageAttributes } from "#lib/posts/post-language.ts";
import { type SearchResultData, describeKind } from "./search-result.ts";

export function SearchResults({ results }: { results: readonly SearchResultData[] }) {
  return (
    <ol className="lines">
      {results.map((result) => (
        <li key={`${result.kind} ${result.path}`} className="post-line">
          <p className="card-meta">{describeKind(result, en.search)}</p>
          <div {...languageAttributes(result)}>
            <h2>
              <a className="card-link" href={result.path}>
                <MarkedText segments={result.title} />
              </a>
            </h2>
            {result.snippet.length > 0 && (
              <p className="card-text">
                <MarkedText segments={result.snippet} />
              </p>
            )}
          </div>
        </li>
      ))}
    </ol>
  );
}
