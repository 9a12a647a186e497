/**
 * Classes of the platform, recognized by their form. A value from an iframe, a `node:vm` context, Jest or jsdom is not
 * an instance of the class that has this name here, so the sources never ask `instanceof` for such a class.
 */

const tagOf = (value: unknown): unknown =>
  typeof value === 'object' && value !== null ? (value as { [Symbol.toStringTag]?: unknown })[Symbol.toStringTag] : '';

const hasMethod = (value: unknown, name: string): boolean =>
  typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)[name] === 'function';

/** Whether a value is a `Uint8Array`, which includes Node's `Buffer`. */
export const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) && tagOf(value) === 'Uint8Array';

/** Whether a value is an `ArrayBuffer`. A `SharedArrayBuffer` is not one. */
export const isArrayBuffer = (value: unknown): value is ArrayBuffer => tagOf(value) === 'ArrayBuffer';

/** Whether a value is a `Blob` or a `File`. Those of jsdom have no method that reads them. */
export const isBlob = (value: unknown): value is Blob => {
  const tag = tagOf(value);
  return (tag === 'Blob' || tag === 'File') && hasMethod(value, 'slice') && typeof (value as Blob).size === 'number';
};

/** Whether a value is a `ReadableStream`. */
export const isReadableStream = (value: unknown): value is ReadableStream => hasMethod(value, 'getReader');

/** Whether a value is a `Map` of the language. */
export const isMap = (value: unknown): value is ReadonlyMap<unknown, unknown> =>
  tagOf(value) === 'Map' && hasMethod(value, 'entries');

interface WebAssemblyKinds {
  readonly Memory: WebAssembly.Memory;
  readonly Module: WebAssembly.Module;
  readonly Table: WebAssembly.Table;
}

/** Whether a value is this kind of object of WebAssembly. */
export const isWebAssembly = <K extends keyof WebAssemblyKinds>(
  value: unknown,
  kind: K,
): value is WebAssemblyKinds[K] => tagOf(value) === `WebAssembly.${kind}`;

/** Whether a value is an error: an object with a name and a message. `DOMException` is one. */
export const isError = (value: unknown): value is Error =>
  typeof value === 'object' && value !== null && errorName(value) !== undefined && 'message' in value;

/** The name of an error (`AbortError`), or `undefined` when the value has none. */
export const errorName = (error: unknown): string | undefined => textField(error, 'name');

/** The `code` of an error (`ENOENT`), or `undefined` when the value has no text there. */
export const errorCode = (error: unknown): string | undefined => textField(error, 'code');

const textField = (value: unknown, name: string): string | undefined => {
  if (typeof value !== 'object' || value === null) {
    return undefined;
  }
  const field = (value as Record<string, unknown>)[name];
  return typeof field === 'string' ? field : undefined;
};
