// Renders checkboxes for the topics that a subscriber gets posts about.

import { CheckboxField } from "#components/ui/form-fields.tsx";
import { topicTitle } from "#lib/posts/topics.ts";
import { TOPIC_FIELD_PREFIX } from "#lib/members/topic-fields.ts";

/** `topics` are all topics by key; `chosen` are keys. Renders nothing on a site without topics. */
export function TopicFields({
  topics,
  chosen,
}: {
  topics: ReadonlyMap<string, string>;
  chosen: readonly string[];
}) {
  if (topics.size === 0) return null;
  return (
    <fieldset className="form-fieldset">
      <legend className="form-legend">Topics</legend>
      <p className="form-hint">Choose none to get all posts.</p>
      <div className="topic-fields">
        {[...topics].map(([key, topic]) => (
          <CheckboxField
            key={key}
            name={TOPIC_FIELD_PREFIX + key}
            label={topicTitle(topic)}
            defaultChecked={chosen.includes(key)}
          />
        ))}
      </div>
    </fieldset>
  );
}
