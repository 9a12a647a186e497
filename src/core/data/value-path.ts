/** Where in a value something is wrong: the keys and positions that lead there. */
export type ValuePath = readonly (string | number)[];

/** Keys come from outside: a message shows this many characters of one. */
const MAX_SHOWN = 80;

/** The path as a JSON pointer, cut to a readable length; `(top)` for the value itself. */
export const formatPath = (path: ValuePath): string => {
  if (path.length === 0) {
    return '(top)';
  }
  const escaped = path.map((part) => String(part).replaceAll('~', '~0').replaceAll('/', '~1'));
  return escaped.map((part) => `/${part.length > MAX_SHOWN ? `${part.slice(0, MAX_SHOWN)}…` : part}`).join('');
};
