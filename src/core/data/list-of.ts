/** Returns all items of an iterable as a list. */
export const listOf = async <T>(items: AsyncIterable<T> | Iterable<T>): Promise<T[]> => {
  const list: T[] = [];
  for await (const item of items) {
    list.push(item);
  }
  return list;
};
