/** Escapes control characters, so that a terminal shows them and does not execute them. */

/**
 * Characters that move the cursor, start an escape sequence, break a line or change the direction of text: C0, DEL, C1,
 * the line and paragraph separators, and the overrides, embeddings and isolates of bidirectional text.
 */
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** Escapes every such character as in JSON, such as `\u001b`. Also escapes line breaks and tabs. */
export const printable = (text: string): string => text.replace(CONTROLS, escaped);

/** The same, but line breaks and tabs stay. */
export const printableLines = (text: string): string =>
  text.replace(CONTROLS, (character) => (character === '\n' || character === '\t' ? character : escaped(character)));
