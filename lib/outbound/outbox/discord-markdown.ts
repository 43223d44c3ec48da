/** Escapes Discord's markup (*this*, [that](…)), so that a name or title is shown as is. */
export const escapeDiscordMarkdown = (text: string): string =>
  text.replace(/[\\`*_~|<>[\]()#@:]/g, "\\$&");
