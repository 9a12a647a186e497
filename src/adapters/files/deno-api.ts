/** The part of Deno's API that is used here. It is declared here so that the library compiles without Deno's types. */
import { errorName } from '../../core/data/platform-values.ts';

export interface DenoFileInfo {
  readonly isFile: boolean;
  readonly isDirectory: boolean;
  readonly size: number;
  readonly mtime: Date | null;
  readonly ctime: Date | null;
  /** `null` if the system does not provide it. */
  readonly nlink: number | null;
  readonly dev: number;
  /** `null` if the system does not provide it. */
  readonly ino: number | null;
}

export interface DenoFile {
  readSync(buffer: Uint8Array): number | null;
  writeSync(bytes: Uint8Array): number;
  seekSync(offset: number, whence: number): number;
  truncateSync(size: number): void;
  statSync(): DenoFileInfo;
  syncSync(): void;
  syncDataSync(): void;
  /** Missing in Deno before 2. */
  tryLockSync?(exclusive: boolean): boolean;
  close(): void;
}

export interface DenoApi {
  readonly pid: number;
  cwd(): string;
  hostname(): string;
  readonly permissions: {
    querySync(
      what: { readonly name: 'sys'; readonly kind: 'hostname' } | { readonly name: 'read'; readonly path: string },
    ): { readonly state: string };
  };
  lstatSync(path: string): DenoFileInfo;
  statSync(path: string): DenoFileInfo;
  mkdirSync(path: string, options: { readonly recursive: boolean }): void;
  openSync(
    path: string,
    options: {
      readonly read: boolean;
      readonly write?: boolean;
      readonly create?: boolean;
      readonly createNew?: boolean;
    },
  ): DenoFile;
  readDirSync(path: string): Iterable<{ readonly name: string }>;
  removeSync(path: string): void;
  readLinkSync(path: string): string;
  realPathSync(path: string): string;
  readTextFileSync(path: string): string;
  renameSync(from: string, to: string): void;
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
