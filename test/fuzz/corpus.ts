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
