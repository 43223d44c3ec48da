// Parses the checkboxes of a form that chooses topics.

/** Precedes the topic's key in a field's name. */
export const TOPIC_FIELD_PREFIX = "topic:";

const MAX_TOPICS = 100;

/** Returns the keys of the checked topics that exist; keys are as in listTopics(). */
export function parseTopicFields(
  fields: Readonly<Record<string, unknown>>,
  topics: ReadonlyMap<string, string>,
): string[] {
  return Object.keys(fields)
    .filter((name) => name.startsWith(TOPIC_FIELD_PREFIX))
    .map((name) => name.slice(TOPIC_FIELD_PREFIX.length))
    .filter((key) => topics.has(key))
    .slice(0, MAX_TOPICS);
}
