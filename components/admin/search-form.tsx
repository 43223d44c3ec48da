// Renders a search field that submits to the page's own query string.

export function SearchForm({
  action,
  label,
  hint,
  q,
  children,
}: {
  action: string;
  label: string;
  hint?: string;
  q: string;
  children?: React.ReactNode;
}) {
  return (
    <form action={action} method="get" role="search" className="admin-find">
      <div>
        <label htmlFor="find">{label}</label>
        <input
          className="field"
          id="find"
          type="search"
          name="q"
          defaultValue={q}
          maxLength={200}
          autoComplete="off"
          spellCheck={false}
          aria-describedby={hint ? "find-hint" : undefined}
        />
      </div>
      {children}
      <button type="submit" className="button">
        Search
      </button>
      {hint && (
        <p className="form-hint" id="find-hint">
          {hint}
        </p>
      )}
    </form>
  );
}
