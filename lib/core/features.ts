// Decides which paths belong to a feature that the owner can turn off.

export interface Features {
  readonly teams: boolean;
  readonly calls: boolean;
  readonly members: boolean;
  readonly newsletter: boolean;
}

const PATHS: Readonly<Record<keyof Features, RegExp>> = {
  teams: /^\/teams(\/|$)/,
  calls: /^\/(calls|podcast|admin\/calls)(\/|$)/,
  newsletter: /^\/(subscribe|admin\/newsletter)(\/|$)/,
  members: /^\/(login|signup|me|goodbye|unsubscribe|admin|dev|preview)(\/|$)/,
};

/** Returns the feature that is off and owns `path`, or null. */
export function findDisabledFeature(path: string, features: Features): keyof Features | null {
  for (const [feature, pattern] of Object.entries(PATHS) as [keyof Features, RegExp][])
    if (!features[feature] && pattern.test(path)) return feature;
  return null;
}
