/** The place of a fault in a value: keys and indexes from the top. */
export type ValuePath = readonly (string | number)[];

/** Most characters of an untrusted key in a message. */
const MAX_SHOWN = 80;

/** Returns the path as a JSON pointer with shortened keys, or `(top)` for the value itself. */
export const formatPath = (path: ValuePath): string => {
  if (path.length === 0) {
    return '(top)';
  }
  const escaped = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
  return escaped.map((part) => `/${part.length > MAX_SHOWN ? `${part.slice(0, MAX_SHOWN)}…` : part}`).join('');
};
