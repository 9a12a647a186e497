import { withoutPassword } from './postgres-url.ts';

/**
 * Returns a text as one word of a shell, for commands that a message suggests. The password of a database is replaced.
 */
export const shellWord = (text: string): string => {
  const shown = withoutPassword(text);
  return /^[\w@%+=:,./][\w@%+=:,./-]*$/.test(shown) ? shown : `'${shown.replaceAll("'", "'\\''")}'`;
};
