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

const packages = (names: readonly string[]): RegExp =>
  new RegExp(`^(${names.map((name) => name.replace('/', '\\/')).join('|')})(\\/|$)`);

/** What every adapter may import. */
const BELOW_ADAPTERS = /^src\/(core|wasm)\//;
const adapters = (...folders: string[]): RegExp => new RegExp(`^src/adapters/(${folders.join('|')})/`);

/** The first room that matches a file decides. */
const ROOMS: readonly Room[] = [
  { files: /^src\/core\//, may: [/^src\/core\//, packages(PURE)] },
  // SQLite and hashes in linear memory: of the core it knows bytes, errors and hashes, never a block or a tree.
  {
    files: /^src\/wasm\//,
    may: [/^src\/wasm\//, /^src\/core\/(data\/(bytes|sha256)|errors)\.ts$/, packages(['@noble/hashes', 'sql.js'])],
  },
  { files: /^src\/adapters\/files\/deno-/, may: [adapters('files'), BELOW_ADAPTERS] },
  { files: /^src\/adapters\/blobs\/deno-/, may: [adapters('blobs'), BELOW_ADAPTERS] },
  // What a browser keeps for an origin. Files and blobs in browsers use it.
  { files: /^src\/adapters\/origin\//, may: [adapters('origin'), BELOW_ADAPTERS, packages(['idb-keyval'])] },
  {
    files: /^src\/adapters\/files\/(idb|opfs)-/,
    may: [adapters('files', 'origin'), BELOW_ADAPTERS, packages(['idb-keyval'])],
  },
  {
    files: /^src\/adapters\/blobs\/(idb|opfs)-/,
    may: [adapters('blobs', 'origin'), BELOW_ADAPTERS, packages(['idb-keyval'])],
  },
  { files: /^src\/adapters\/files\//, may: [adapters('files'), BELOW_ADAPTERS, /^node:/] },
  { files: /^src\/adapters\/blobs\//, may: [adapters('blobs'), BELOW_ADAPTERS, /^node:/] },
  // SQLite's tables know no file and no blob: both are handed to them.
  { files: /^src\/adapters\/sqlite\//, may: [adapters('sqlite'), BELOW_ADAPTERS] },
  // A repository over a port knows repositories, and nothing below them.
  { files: /^src\/adapters\/rpc\//, may: [adapters('rpc'), /^src\/core\//] },
  // Which tab owns the files: it speaks through the port.
  { files: /^src\/adapters\/tabs\//, may: [adapters('tabs', 'rpc'), /^src\/core\//] },
  // Files and blobs of browsers meet here, for the page's main thread and the worker alike.
  {
    files: /^src\/adapters\/platform\/browser-platform\.ts$/,
    may: [adapters('blobs', 'files', 'origin', 'platform', 'sqlite'), BELOW_ADAPTERS],
  },
  // Whole folders, copied and salvaged, need of a file system what blobs need of one.
  { files: /^src\/adapters\/folders\/deno-/, may: [adapters('blobs', 'folders'), BELOW_ADAPTERS] },
  {
    files: /^src\/adapters\/(folders|salvage)\//,
    may: [adapters('blobs', 'folders', 'salvage', 'sqlite'), BELOW_ADAPTERS, /^node:/],
  },
  {
    files: /^src\/adapters\/platform\/(browser|deno)/,
    may: [adapters('platform'), BELOW_ADAPTERS, packages(['sql.js'])],
  },
  { files: /^src\/adapters\/platform\//, may: [adapters('platform'), BELOW_ADAPTERS, /^node:/, packages(['sql.js'])] },
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
  return file.imports
    .filter((path) => !room.may.some((allowed) => allowed.test(path)))
    .map((path) => `${file.path} -> ${path}`);
};
