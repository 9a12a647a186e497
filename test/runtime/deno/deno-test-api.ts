/** The part of Deno's API that only the tests use. */
export interface DenoTestApi {
  readonly args: readonly string[];
  readonly stdin: { readonly readable: ReadableStream<Uint8Array> & AsyncIterable<Uint8Array> };
  lstatSync(path: string): { readonly size: number };
  mkdirSync(path: string, options?: { readonly recursive?: boolean }): void;
  readDirSync(path: string): Iterable<{ readonly name: string }>;
  removeSync(path: string): void;
  writeFileSync(path: string, bytes: Uint8Array): void;
}

export const denoTestApi = (globalThis as unknown as { Deno: DenoTestApi }).Deno;
