/** The rules for imports. */
import type { SourceFile } from './sources.ts';

/** Packages without I/O, for every platform. */
const PURE = ['@atproto/syntax', '@ipld/dag-cbor', '@noble/curves', '@noble/hashes', 'multiformats'];

interface Layer {
  /** The paths of its files. */
  readonly files: RegExp;
  /** The imports that they may have: paths from the root for our own files, names for packages. */
  readonly may: readonly RegExp[];
}

const packages = (names: readonly string[]): RegExp =>
  new RegExp(`^(${names.map((name) => name.replace('/', '\\/')).join('|')})(\\/|$)`);

/** The part of the core that `src/wasm` imports. */
const CORE_BELOW_WASM = /^src\/core\/(data\/(bytes|platform-values|sha256)|storage\/layout|errors)\.ts$/;

/** What every adapter may import: the core, WebAssembly, and functions for hexadecimal text and random bytes. */
const BELOW_ADAPTERS = /^(src\/(core|wasm)\/|@noble\/hashes\/utils\.js$)/;
/** The locks that the pages and workers of an origin share. */
const ORIGIN_LOCKS = /^src\/adapters\/origin\/locks\.ts$/;
const adapters = (...folders: string[]): RegExp => new RegExp(`^src/adapters/(${folders.join('|')})/`);

/** The layers of `src/core`, and the layers that each one imports. Every layer also imports itself and `errors.ts`. */
const CORE_LAYERS: Readonly<Record<string, readonly string[]>> = {
  data: [],
  syntax: ['data'],
  crypto: ['data'],
  blocks: ['data'],
  car: ['data', 'blocks'],
  storage: ['data', 'syntax', 'crypto', 'blocks', 'car'],
  mst: ['data', 'syntax', 'crypto', 'blocks', 'car', 'storage'],
  repo: ['data', 'syntax', 'crypto', 'blocks', 'car', 'storage', 'mst'],
};
const coreLayers: readonly Layer[] = Object.entries(CORE_LAYERS).map(([layer, below]) => ({
  files: new RegExp(`^src/core/${layer}/`),
  may: [new RegExp(`^src/core/((${[layer, ...below].join('|')})/|errors\\.ts$)`), packages(PURE)],
}));

/** The first layer that matches a file applies. */
const LAYERS: readonly Layer[] = [
  ...coreLayers,
  // All of the core imports the errors; they import nothing.
  { files: /^src\/core\/errors\.ts$/, may: [] },
  // SQLite and hashes in linear memory: of the core they import bytes, errors and hashes, never a block or a tree.
  { files: /^src\/wasm\/hash\//, may: [/^src\/wasm\/hash\//, CORE_BELOW_WASM, packages(['@noble/hashes'])] },
  { files: /^src\/wasm\/c-api\//, may: [/^src\/wasm\/c-api\//, CORE_BELOW_WASM] },
  { files: /^src\/wasm\/vfs\//, may: [/^src\/wasm\/(c-api|vfs)\//, CORE_BELOW_WASM] },
  {
    files: /^src\/wasm\/database\//,
    may: [/^src\/wasm\/(c-api|vfs|database)\//, CORE_BELOW_WASM, packages(['sql.js'])],
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
  // The stores get files and blobs as arguments.
  { files: /^src\/adapters\/sqlite\//, may: [adapters('sqlite'), BELOW_ADAPTERS] },
  // The driver is loaded at run time.
  {
    files: /^src\/adapters\/postgres\//,
    may: [adapters('postgres'), /^(src\/(core|wasm\/hash)\/|@noble\/hashes\/utils\.js$)/],
  },
  // RPC uses the Repo interface only.
  { files: /^src\/adapters\/rpc\//, may: [adapters('rpc'), /^src\/core\//] },
  // Leadership among tabs uses RPC.
  { files: /^src\/adapters\/tabs\//, may: [adapters('tabs', 'rpc'), ORIGIN_LOCKS, /^src\/core\//] },
  // Connects the files and blobs of browsers, for the main thread of a page and for a worker.
  {
    files: /^src\/adapters\/platform\/browser-platform\.ts$/,
    may: [adapters('blobs', 'files', 'origin', 'platform', 'sqlite'), BELOW_ADAPTERS],
  },
  // Copying a folder uses the same file system calls as storing blobs. Salvage copies folders.
  { files: /^src\/adapters\/folders\/deno-/, may: [adapters('blobs', 'folders'), BELOW_ADAPTERS] },
  // Connects repositories, salvage and databases in folders, for the entry points of Node and Deno.
  {
    files: /^src\/adapters\/folders\/folder-repos\.ts$/,
    may: [
      adapters('folders', 'salvage', 'sqlite'),
      // The option `wasm` of a user. The platform reads it.
      /^src\/adapters\/platform\/sqlite-wasm\.ts$/,
      BELOW_ADAPTERS,
    ],
  },
  {
    files: /^src\/adapters\/folders\//,
    may: [adapters('blobs', 'folders', 'sqlite'), BELOW_ADAPTERS, /^node:/],
  },
  // Requests to a server. The only adapter that uses no platform but `fetch`.
  {
    files: /^src\/adapters\/s3\//,
    may: [adapters('s3'), /^src\/(core|wasm\/hash)\//, packages(['@noble/hashes', 'aws4fetch'])],
  },
  // The database of another server, read as files of a disk.
  { files: /^src\/adapters\/pds\//, may: [adapters('files', 'pds', 'sqlite'), BELOW_ADAPTERS] },
  {
    files: /^src\/adapters\/salvage\//,
    may: [adapters('folders', 'salvage', 'sqlite'), BELOW_ADAPTERS],
  },
  {
    files: /^src\/adapters\/platform\/(browser|deno)/,
    may: [adapters('platform'), BELOW_ADAPTERS, packages(['sql.js'])],
  },
  { files: /^src\/adapters\/platform\//, may: [adapters('platform'), BELOW_ADAPTERS, /^node:/, packages(['sql.js'])] },
  // The network uses the Repo interface, and of the core what is pure. It never sees a store.
  {
    files: /^src\/sync\//,
    may: [
      /^src\/(sync\/|core\/(data|syntax|crypto|car|repo)\/|core\/errors\.ts$)/,
      packages([...PURE, '@atcute/identity', '@atcute/identity-resolver', '@atcute/lexicons', 'p-retry']),
    ],
  },
  // The published conformance cases run on every platform, with any test framework.
  { files: /^src\/testing\//, may: [/^src\/(core|testing|wasm)\//, packages(PURE)] },
  // The command uses the entry points, as a user does, and the names of the files.
  {
    files: /^src\/cli(\/|\.ts$)/,
    may: [
      /^src\/cli\//,
      /^src\/(index|node|postgres|sync|core\/storage\/layout)\.ts$/,
      /^node:/,
      packages(['commander']),
    ],
  },
  { files: /^src\/sync\.ts$/, may: [/^src\/(core|sync)\//] },
  { files: /^src\/(index|testing)\.ts$/, may: [/^src\/(core|adapters|testing|wasm)\//] },
  { files: /^src\/[^/]+\.ts$/, may: [/^src\/(core|adapters|wasm)\//] },
];

/** Returns the imports of a file that its layer does not allow, each as `file -> import`. */
export const forbiddenImports = (file: SourceFile): string[] => {
  const layer = LAYERS.find(({ files }) => files.test(file.path));
  if (layer === undefined) {
    return [`${file.path} is in no layer of test/house/import-rules.ts`];
  }
  return file.imports
    .filter((path) => !layer.may.some((allowed) => allowed.test(path)))
    .map((path) => `${file.path} -> ${path}`);
};
