/**
 * Splits a `create` statement into tokens, as SQLite does. https://sqlite.org/syntax/, `sqlite3GetToken` in tokenize.c
 *
 * SQLite folds the case of ASCII letters only, and only ASCII spaces separate tokens. U+00A0 is a letter, and U+212A
 * (Kelvin) is not k.
 */
import { RepoError } from '../../core/errors.ts';

export interface Token {
  /** `word`: a keyword or an unquoted name. `name`: a quoted name. `other`: a number, a text or an operator. */
  readonly kind: 'name' | 'other' | 'word';
  /** A word in lower case; a name without its quotes. */
  readonly text: string;
}

/** The patterns, in the order in which they are tried. */
const SPACE = /[ \t\n\f\r]+|--[^\n]*|\/\*(?:[^*]|\*(?!\/))*\*\//y;
const WORD = /[A-Za-z_\u0080-\u{10ffff}][A-Za-z0-9_$\u0080-\u{10ffff}]*/uy;
const QUOTED = /"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]/y;
/**
 * Texts, blobs (the `x` of `x'00'` is a word), numbers and operators. A stored statement has no `;` and no parameter.
 */
const OTHER = /'(?:[^']|'')*'|\.?[0-9](?:[0-9A-Za-z_.]|(?<=[eE])[+-])*|[-+*/%(),.<>=!|&~]/y;

const match = (pattern: RegExp, sql: string, at: number): RegExpExecArray | undefined => {
  pattern.lastIndex = at;
  return pattern.exec(sql) ?? undefined;
};

/** Converts ASCII letters only. */
export const lowerCase = (word: string): string => word.replace(/[A-Z]/g, (letter) => letter.toLowerCase());

/** Whether two names are equal for SQLite. */
export const isSameName = (a: string, b: string): boolean => lowerCase(a) === lowerCase(b);

/**
 * Returns the tokens without spaces and comments.
 * @throws {RepoError} `Corrupt` if SQLite would not store such a statement.
 */
export const tokensOf = (sql: string): Token[] => {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length; ) {
    const space = match(SPACE, sql, at);
    if (space !== undefined) {
      at += space[0].length;
      continue;
    }
    const word = match(WORD, sql, at);
    const quoted = word === undefined ? match(QUOTED, sql, at) : undefined;
    const found = word ?? quoted ?? match(OTHER, sql, at);
    if (found === undefined) {
      throw new RepoError(
        'Corrupt',
        `a statement of the schema is not valid SQL: restore a backup, or call salvageRepo; at=${at} sql=${sql.slice(0, 200)}`,
      );
    }
    at += found[0].length;
    if (word !== undefined) {
      tokens.push({ kind: 'word', text: lowerCase(word[0]) });
    } else if (quoted !== undefined) {
      const [, double, back, square] = quoted;
      const text = double?.replaceAll('""', '"') ?? back?.replaceAll('``', '`') ?? square!;
      tokens.push({ kind: 'name', text });
    } else {
      tokens.push({ kind: 'other', text: found[0] });
    }
  }
  return tokens;
};
