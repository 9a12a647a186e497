/** Cases that found a fault, or nearly did. They must pass now. */
export interface CorpusCase {
  readonly target: string;
  readonly seed: number;
  readonly what: string;
}

export const corpus: readonly CorpusCase[] = [
  { target: 'bytes of pds.db', seed: 293, what: 'a table whose pages form a cycle' },
  { target: 'bytes of pds.db', seed: 323, what: 'another such table' },
  { target: 'repair', seed: 1227766539, what: 'a head whose root has a valid hash and is not a tree node' },
  { target: 'repair', seed: 564360902, what: 'a block with a zero byte behind its key' },
  { target: 'repair', seed: 1277390951, what: 'a row that claims to be larger than SQLite allows' },
  { target: 'repair', seed: 1086525062, what: 'a damaged index, in which counting the blocks hid the fault' },
  { target: 'salvage', seed: 217226420, what: 'blocks without a commit, reported as whole' },
  { target: 'salvage', seed: 2570702713, what: 'a damaged frame of the WAL before sound frames of the same page' },
  { target: 'salvage', seed: 2849266377, what: 'a sound block with a damaged key' },
  { target: 'salvage', seed: 3752329394, what: 'a header with a wrong usable size of the page' },
  { target: 'salvage', seed: 3299373747, what: 'a file that ends within a page' },
  { target: 'backup', seed: 1111472660, what: 'an uncountable list of commits in a backup that is not restored' },
  { target: 'backup', seed: 1242832296, what: 'the same without a head' },
  {
    target: 'restoration of a backup',
    seed: 1887403679,
    what: 'a database without a table of commits, which gets one when it is opened',
  },
];

/**
 * Findings about time and memory, by their names in `test/hostile/bounds-cases.ts`. A fuzz case measures neither.
 * `attacks.test.ts` imports each in a separate process, and measures it.
 */
export const boundsFindings: readonly string[] = [
  // Took 465 MB.
  'two million empty maps in one record',
  // An 11 MB tree, whose keys took 106 MB.
  'nodes whose keys differ only at the end',
];
