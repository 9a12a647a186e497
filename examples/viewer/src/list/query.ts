/** A query of words. Each must occur as a whole word, in any case and order. */

/** Letters of scripts without spaces between words. */
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}]/u;
const IN_WORDS = /[\p{L}\p{M}\p{N}_]/u;

/** Whether a match must not continue with this character. */
const isEdge = (character: string | undefined): boolean =>
  character !== undefined && IN_WORDS.test(character) && !UNSPACED.test(character);

const patternOf = (word: string): RegExp => {
  const characters = [...word];
  const before = isEdge(characters[0]) ? '(?<![\\p{L}\\p{M}\\p{N}_])' : '';
  const after = isEdge(characters.at(-1)) ? '(?![\\p{L}\\p{M}\\p{N}_])' : '';
  return new RegExp(`${before}${word.replaceAll(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}${after}`, 'iu');
};

interface Word {
  /** Checked first, because it is faster. */
  readonly folded: string;
  readonly pattern: RegExp;
}

export class Query {
  readonly #words: readonly Word[];

  constructor(text: string) {
    const words = text.split(/\s+/u).filter((word) => word !== '');
    this.#words = words.map((word) => ({ folded: word.toLowerCase(), pattern: patternOf(word) }));
  }

  /** Returns the index of the first matching word in a text, or -1, and a bit set of the words that match. */
  in(text: string): { readonly at: number; readonly words: readonly number[] } {
    const folded = text.toLowerCase();
    const found = this.#words.map((word) => (folded.includes(word.folded) ? text.search(word.pattern) : -1));
    const places = found.filter((at) => at >= 0);
    return { at: places.length === 0 ? -1 : Math.min(...places), words: found.flatMap((at, i) => (at < 0 ? [] : [i])) };
  }

  /** Whether a bit set has all words. */
  isWhole(words: ReadonlySet<number>): boolean {
    return words.size === this.#words.length;
  }

  /** Splits a text: parts with an odd index are words of the query. */
  split(text: string): readonly string[] {
    const any = this.#words.map(({ pattern }) => pattern.source).join('|');
    return any === '' ? [text] : text.split(new RegExp(`(${any})`, 'iu'));
  }
}
