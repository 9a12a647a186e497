/** A map of the data model as a value of the language. */
export type PlainMap = Readonly<Record<string, unknown>>;

/** Whether an object is a plain one, of this realm or another: not an instance of any class, and no array. */
export const isPlainMap = (value: object): value is PlainMap => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

/** An empty map without a prototype: `__proto__` and `constructor` are keys of it like any other. */
export const createMap = (): Record<string, unknown> => Object.create(null) as Record<string, unknown>;
