/** Cases that found something, or came closest. They have to find nothing now. */
export interface CorpusCase {
  readonly target: string;
  readonly seed: number;
  readonly what: string;
}

export const corpus: readonly CorpusCase[] = [
  { target: 'bytes of pds.db', seed: 293, what: 'a table whose pages lead in a circle' },
  { target: 'bytes of pds.db', seed: 323, what: 'another one' },
  { target: 'repair', seed: 1227766539, what: 'a head whose tree is what its hash says, and no tree' },
  { target: 'repair', seed: 564360902, what: 'a block whose name has a zero behind it' },
  { target: 'repair', seed: 1277390951, what: 'a row that claims to be larger than SQLite allows' },
  { target: 'salvage', seed: 217226420, what: 'blocks without a commit, called whole' },
  { target: 'salvage', seed: 2570702713, what: 'a damaged frame of the log before sound ones of the same page' },
  { target: 'salvage', seed: 2849266377, what: 'a sound block under a damaged name' },
  { target: 'salvage', seed: 3752329394, what: 'a header that says how much of a page is used, and is wrong' },
  { target: 'salvage', seed: 3299373747, what: 'a file that ends within a page' },
  { target: 'backup', seed: 1111472660, what: 'a list of commits that cannot be counted, backed up and not restored' },
  { target: 'backup', seed: 1242832296, what: 'the same without a head' },
  {
    target: 'restoration of a backup',
    seed: 1887403679,
    what: 'a database without a table of commits, which gets one when it is opened',
  },
];

/**
 * Findings about time and memory, by their names in `test/hostile/bounds-cases.ts`. A case of the fuzzer measures
 * neither: `bounds.test.ts` there imports each in a process of its own, and counts.
 */
export const boundsFindings: readonly string[] = [
  // Took 465 MB.
  'two million empty maps in one record',
  // An 11 MB tree, whose keys took 106 MB.
  'nodes whose keys differ only at the end',
];
