/** Arguments and options that several verbs take, so that they are spelt and explained alike. */
import type { Command } from 'commander';
import { InvalidArgumentError, Option } from 'commander';

export const REPO: readonly [string, string] = ['<repo>', 'folder of the repository'];

/** The same for verbs that only read. */
export const REPO_OR_CAR: readonly [string, string] = [
  '<repo>',
  'folder of the repository; or a CAR: a file, a pipe, or - for standard input',
];

/** Whole numbers from `least` on. */
export const wholeNumber =
  (least: number) =>
  (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`Expected a whole number from ${least} on.`);
    }
    return value;
  };

/** `--key` of the verbs that write. */
export const signerOption = (): Option =>
  new Option(
    '--key <file>',
    'file with the key that signs, - for standard input, PDSDB_KEY when left out; the repository keeps no secret',
  );

/** `--allow-other-key` of the verbs that write. */
export const allowOtherKeyOption = (): Option =>
  new Option(
    '--allow-other-key',
    "sign also where another key has signed the head: after the account's key was rotated",
  );

/** `--key` of the verbs that check. */
export const accountKeyOption = (): Option =>
  new Option(
    '--key <key>',
    "the account's public key: a did:key, a publicKeyMultibase, a DID document, or a file with one; " +
      'without it only the form of the signature is checked',
  );

export const forceOption = (): Option => new Option('--force', 'replace the file if it is there');

/** An example under the help of a verb. */
export const withExamples = (command: Command, ...lines: readonly string[]): Command =>
  command.addHelpText(
    'after',
    `\nExample${lines.length > 1 ? 's' : ''}:\n${lines.map((line) => `  $ pdsdb ${line}\n`).join('')}`,
  );
