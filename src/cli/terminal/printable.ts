/** Text that a terminal shows and does not obey. */

/**
 * What moves the cursor, starts an escape sequence, breaks a line or reverses the order of what follows: C0, DEL, C1,
 * the line and paragraph separators, and the overrides, embeddings and isolates of bidirectional text.
 */
const OBEYED = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** The text with every such character written as JSON writes it: `\u001b`. It has no line end and no tab. */
export const printable = (text: string): string => text.replace(OBEYED, escaped);

/** The same for text of several lines: line ends and tabs stay. */
export const printableLines = (text: string): string =>
  text.replace(OBEYED, (character) => (character === '\n' || character === '\t' ? character : escaped(character)));
