/** A map that holds the entries used last, and forgets the others. */
export interface RecentMap<K, V> {
  get(key: K): V | undefined;
  set(key: K, value: V): void;
  delete(key: K): V | undefined;
  values(): Iterable<V>;
}

/** @param forgotten Called with each value that has to make room. */
export const createRecentMap = <K, V>(limit: number, forgotten: (value: V) => void = () => {}): RecentMap<K, V> => {
  const entries = new Map<K, V>();
  const take = (key: K): V | undefined => {
    const value = entries.get(key);
    entries.delete(key);
    return value;
  };
  return {
    get(key) {
      const value = take(key);
      if (value !== undefined) {
        entries.set(key, value);
      }
      return value;
    },
    set(key, value) {
      entries.delete(key);
      entries.set(key, value);
      for (const [oldest, old] of entries) {
        if (entries.size <= limit) {
          break;
        }
        entries.delete(oldest);
        forgotten(old);
      }
    },
    delete: take,
    values: () => entries.values(),
  };
};
