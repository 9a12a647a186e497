import type { ListOptions } from '../tree.ts';

/** Returns the arguments of a list, whose collection may be omitted. */
export const listArguments = (
  collection: string | ListOptions | undefined,
  options: ListOptions = {},
): { readonly collection: string | undefined; readonly options: ListOptions } =>
  typeof collection === 'object' && collection !== null
    ? { collection: undefined, options: collection }
    : { collection, options };
