/** Arguments and options that several verbs share. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';

export const REPO: readonly [string, string] = ['<repo>', 'folder of the repository'];

/** The argument of verbs that only read. */
export const REPO_OR_CAR: readonly [string, string] = [
  '<repo>',
  'folder of the repository, or a CAR (a file, a pipe, or - for standard input)',
];

/** The argument of verbs that read a CAR and no repository. */
export const CAR: readonly [string, string] = ['<car>', 'a CAR: a file, a pipe, or - for standard input'];

/** Returns a parser for integers that are not less than `least`. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected an integer of at least ${least}.`);
    }
    return value;
  };

/** `--key` of the verbs that write. */
export const signerOption = (): Option =>
  new Option(
    '--key <file>',
    'file with the signing key, or - for standard input (default: the file in PDSDB_KEY); the key is not stored',
  );

/** `--allow-other-key` of the verbs that write. */
export const allowOtherKeyOption = (): Option =>
  new Option('--allow-other-key', 'sign even if another key signed the head, for example after a key rotation');

/** `--key` of the verbs that check. */
export const accountKeyOption = (): Option =>
  new Option(
    '--key <key>',
    "the account's public key: a did:key, a publicKeyMultibase, a DID document, or a file with one; " +
      'without it, the signature is not verified, only its form',
  );

export const forceOption = (): Option => new Option('--force', 'replace an existing file');

/** Adds examples to the help of a verb. */
export const withExamples = (command: Command, ...lines: readonly string[]): Command =>
  command.addHelpText(
    'after',
    `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  $ pdsdb ${line}\n`).join('')}`,
  );
