/** The part of Deno that is used here. Declared rather than depended upon, so that the library compiles anywhere. */
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
    throw new TypeError('this needs Deno; in Node and Bun there is pdsdb/node');
  }
  return Deno;
};

/** An absolute path, where the working directory may be known; else the path as it is. */
export const denoPath = (deno: DenoApi, path: string): string => {
  if (/^([/\\]|[A-Za-z]:[/\\])/.test(path)) {
    return path;
  }
  try {
    return `${deno.cwd()}/${path}`;
  } catch (error) {
    // Without the permission to know where we are, the path still works, as long as nobody changes the working
    // directory.
    if (errorName(error) === 'NotCapable' || errorName(error) === 'PermissionDenied') {
      return path;
    }
    throw error;
  }
};
