/**
 * Recognizes classes of the platform by their members. A value from an iframe, a `node:vm` context, Jest or jsdom is
 * not an instance of this realm's class, so `instanceof` does not work for these classes.
 */

const tagOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] : '';

const hasMethod = (value: unknown, name: string): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[name] === 'function';

/** Returns whether a value is a `Uint8Array`. Node's `Buffer` is one. */
export const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) && tagOf(value) === 'Uint8Array';

/** Returns whether a value is an `ArrayBuffer`. A `SharedArrayBuffer` is not one. */
export const isArrayBuffer = (value: unknown): value is ArrayBuffer => tagOf(value) === 'ArrayBuffer';

/** Returns whether a value is a `Blob` or a `File`. Those of jsdom have no method that reads them. */
export const isBlob = (value: unknown): value is Blob => {
  const tag = tagOf(value);
  return (tag === 'Blob' || tag === 'File') && hasMethod(value, 'slice') && typeof (value as Blob).size === 'number';
};

/** Returns whether a value is a `ReadableStream`. */
export const isReadableStream = (value: unknown): value is ReadableStream => hasMethod(value, 'getReader');

/** Returns whether a value is a JavaScript `Map`. */
export const isMap = (value: unknown): value is ReadonlyMap<unknown, unknown> =>
  tagOf(value) === 'Map' && hasMethod(value, 'entries');

interface WebAssemblyKinds {
  readonly Memory: WebAssembly.Memory;
  readonly Module: WebAssembly.Module;
  readonly Table: WebAssembly.Table;
}

/** Returns whether a value is a WebAssembly object of this kind. */
export const isWebAssembly = <K extends keyof WebAssemblyKinds>(
  value: unknown,
  kind: K,
): value is WebAssemblyKinds[K] => tagOf(value) === `WebAssembly.${kind}`;

/** Returns whether a value is an error: an object with a name and a message. A `DOMException` is one. */
export const isError = (value: unknown): value is Error =>
  typeof value === 'object' && value !== null && errorName(value) !== undefined && 'message' in value;

/** Returns the name of an error (`AbortError`), or `undefined`. */
export const errorName = (error: unknown): string | undefined => textField(error, 'name');

/** Returns the `code` of an error (`ENOENT`), or `undefined` if it is not a text. */
export const errorCode = (error: unknown): string | undefined => textField(error, 'code');

const textField = (value: unknown, name: string): string | undefined => {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const field = (value as Record<string, unknown>)[name];
  return typeof field === 'string' ? field : undefined;
};
