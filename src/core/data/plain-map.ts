/** A map of the data model as a JavaScript object. */
export type PlainMap = Readonly<Record<string, unknown>>;

/** Returns whether an object is a plain object, of this realm or another: not a class instance and not an array. */
export const isPlainMap = (value: object): value is PlainMap => {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

/** Returns an empty map without a prototype, in which `__proto__` and `constructor` are ordinary keys. */
export const createMap = (): Record<string, unknown> => Object.create(null) as Record<string, unknown>;
