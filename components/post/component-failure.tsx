// Renders the box in place of a component that failed. The rest of the post is not affected.

/** `name` is what the post calls the component. Post islands find the box by its class. */
export function ComponentFailure({
  name,
  inline = false,
}: {
  readonly name: string;
  readonly inline?: boolean;
}) {
  const Tag = inline ? "span" : "div";
  return (
    <Tag className="component-failure" role="note">
      <code>{name}</code> could not be shown.
    </Tag>
  );
}
