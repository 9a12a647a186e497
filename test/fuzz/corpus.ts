/** Cases that found something, or came closest. They have to find nothing now. */
export interface CorpusCase {
  readonly target: string;
  readonly seed: number;
  readonly what: string;
}

export const corpus: readonly CorpusCase[] = [
  { target: 'bytes of pds.db', seed: 293, what: 'a table whose pages lead in a circle' },
  { target: 'bytes of pds.db', seed: 323, what: 'another one' },
];

/**
 * Findings about time and memory, by their names in `test/hostile/bounds-cases.ts`. A case of the fuzzer measures neither: `bounds.test.ts` there
 * imports each in a process of its own, and counts.
 */
export const boundsFindings: readonly string[] = [
  // Took 465 MB.
  'two million empty maps in one record',
  // An 11 MB tree, whose keys took 106 MB.
  'nodes of keys that differ in their ends',
];
