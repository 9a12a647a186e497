/** Who may import whom. */
import type { SourceFile } from './sources.ts';

/** Packages that hold no I/O and run anywhere. */
const PURE = ['@atproto/syntax', '@noble/curves', '@noble/hashes', 'multiformats'];

interface Room {
  /** The files of it. */
  readonly files: RegExp;
  /** What these may import: paths from the root for our own files, names for the rest. */
  readonly may: readonly RegExp[];
}

const packages = (names: readonly string[]): RegExp => new RegExp(`^(${names.map((name) => name.replace('/', '\\/')).join('|')})(\\/|$)`);

/** The first room that a file lies in decides. */
const ROOMS: readonly Room[] = [
  { files: /^src\/core\//, may: [/^src\/core\//, packages(PURE)] },
  // SQLite and hashes in linear memory: of the core it knows bytes, errors and hashes, never a block or a tree.
  { files: /^src\/wasm\//, may: [/^src\/wasm\//, /^src\/core\/(bytes|errors|sha256)\.ts$/, packages(['@noble/hashes', 'sql.js'])] },
  { files: /^src\/adapters\/files\/deno-/, may: [/^src\/adapters\/files\//, /^src\/(core|wasm)\//] },
  { files: /^src\/adapters\/blobs\/deno-/, may: [/^src\/adapters\/blobs\//, /^src\/(core|wasm)\//] },
  // What a browser keeps for an origin: the ground that files and blobs in browsers stand on.
  { files: /^src\/adapters\/origin\//, may: [/^src\/adapters\/origin\//, /^src\/(core|wasm)\//, packages(['idb-keyval'])] },
  { files: /^src\/adapters\/files\/(idb|opfs)-/, may: [/^src\/adapters\/(files|origin)\//, /^src\/(core|wasm)\//, packages(['idb-keyval'])] },
  { files: /^src\/adapters\/blobs\/(idb|opfs)-/, may: [/^src\/adapters\/(blobs|origin)\//, /^src\/(core|wasm)\//, packages(['idb-keyval'])] },
  { files: /^src\/adapters\/files\//, may: [/^src\/adapters\/files\//, /^src\/(core|wasm)\//, /^node:/] },
  { files: /^src\/adapters\/blobs\//, may: [/^src\/adapters\/blobs\//, /^src\/(core|wasm)\//, /^node:/] },
  // A repository across a wire knows repositories, and nothing of what they stand on.
  { files: /^src\/adapters\/remote\//, may: [/^src\/adapters\/remote\//, /^src\/core\//] },
  // Files and blobs of browsers meet here, for the page's main thread and the worker alike.
  { files: /^src\/adapters\/browser-platform\.ts$/, may: [/^src\/adapters\/(blobs|files|origin)\//, /^src\/adapters\/[^/]+$/, /^src\/(core|wasm)\//] },
  // Whole folders, copied and salvaged, need of a file system what blobs need of one.
  { files: /^src\/adapters\/folders\/deno-/, may: [/^src\/adapters\/(blobs|folders)\//, /^src\/(core|wasm)\//] },
  { files: /^src\/adapters\/(folders|salvage)\//, may: [/^src\/adapters\/(blobs|folders|salvage)\//, /^src\/adapters\/[^/]+$/, /^src\/(core|wasm)\//, /^node:/] },
  { files: /^src\/adapters\/[^/]*deno/, may: [/^src\/adapters\/[^/]+$/, /^src\/(core|wasm)\//, packages(['sql.js'])] },
  { files: /^src\/adapters\/[^/]+$/, may: [/^src\/adapters\/[^/]+$/, /^src\/(core|wasm)\//, /^node:/, packages(['sql.js'])] },
  // What is published for people who write adapters runs everywhere, under no framework.
  { files: /^src\/testing\//, may: [/^src\/(core|testing|wasm)\//, packages(PURE)] },
  // The command has no more than everybody has: the doors.
  { files: /^src\/cli(\/|\.ts$)/, may: [/^src\/cli\//, /^src\/(index|node)\.ts$/, /^node:/, packages(['commander'])] },
  { files: /^src\/(index|testing)\.ts$/, may: [/^src\/(core|adapters|testing|wasm)\//] },
  { files: /^src\/[^/]+\.ts$/, may: [/^src\/(core|adapters|wasm)\//] },
];

/** The imports of a file that its room does not allow, each as `file -> import`. */
export const forbiddenImports = (file: SourceFile): string[] => {
  const room = ROOMS.find(({ files }) => files.test(file.path));
  if (room === undefined) {
    return [`${file.path} lies in no room of the house`];
  }
  return file.imports.filter((path) => !room.may.some((allowed) => allowed.test(path))).map((path) => `${file.path} -> ${path}`);
};
