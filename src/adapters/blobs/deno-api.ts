/** The part of Deno's API that is used here. It is declared here so that the library compiles without Deno's types. */
import { errorName } from '../../core/data/platform-values.ts';

export interface DenoFile {
  write(bytes: Uint8Array): Promise<number>;
  sync(): Promise<void>;
  close(): void;
  /** Closes the file at its end, or when it is cancelled. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
}

export interface DenoApi {
  cwd(): string;
  lstat(path: string): Promise<{
    readonly isFile: boolean;
    readonly isDirectory: boolean;
    readonly size: number;
    readonly mtime: Date | null;
    /** Missing in older versions. */
    readonly ctime?: Date | null;
  }>;
  mkdir(path: string): Promise<void>;
  open(
    path: string,
    options: { readonly read?: boolean; readonly write?: boolean; readonly createNew?: boolean },
  ): Promise<DenoFile>;
  readFile(path: string): Promise<Uint8Array<ArrayBuffer>>;
  readDir(path: string): AsyncIterable<{ readonly name: string }>;
  realPathSync(path: string): string;
  remove(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  utime(path: string, accessed: Date, modified: Date): Promise<void>;
}

/** @throws {TypeError} outside of Deno. */
export const denoApi = (): DenoApi => {
  const { Deno } = globalThis as { Deno?: DenoApi };
  if (Deno === undefined) {
    throw new TypeError('pdsdb/deno needs Deno: in Node and Bun, import pdsdb/node');
  }
  return Deno;
};

/** Returns an absolute path, or `path` itself if Deno may not read the working directory. */
export const denoPath = (deno: DenoApi, path: string): string => {
  if (/^([/\\]|[A-Za-z]:[/\\])/.test(path)) {
    return path;
  }
  try {
    return `${deno.cwd()}/${path}`;
  } catch (error) {
    // The relative path works until the working directory changes.
    if (errorName(error) === 'NotCapable' || errorName(error) === 'PermissionDenied') {
      return path;
    }
    throw error;
  }
};
