/** Escape codes in arguments, data, file names and responses of servers. None may reach the terminal. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pdsdb } from '../../cli/run-command.ts';
import { POST } from '../../../src/testing/repo/harness.ts';
import type { Attack, AttackClass } from './attack.ts';

/**
 * One code of each kind: ESC [, C1 CSI, OSC with BEL, DEL, backspace, return, line separators, and controls of
 * bidirectional text.
 */
const EVIL = '\u001b[31m\u009b2J\u001b]0;title\u0007\u007f\b\r\u0085\u2028\u2029\u202a\u202e\u2066\u2069';
/** A character that a terminal or a text layout obeys. Tabs and line feeds are allowed. */
const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/;
const CLEAR_LINE = /\r\u001b\[2K/g;
/** Repeated, for messages whose length matters. */
const LONG = EVIL.repeat(50_000);

const makeRepo: Attack['make'] = async (folder) => {
  const repo = join(folder, 'repo');
  await pdsdb(['init', repo, '--did', 'did:web:alice.example']);
  await pdsdb(['put', repo, `${POST}/a`, JSON.stringify({ text: EVIL, [EVIL]: EVIL }), '-m', EVIL]);
  await pdsdb(['put', repo, `${POST}/long`, JSON.stringify({ text: LONG.slice(0, 300_000) })]);
  writeFileSync(join(folder, `${EVIL}.car`), EVIL);
  writeFileSync(join(folder, 'error.car'), JSON.stringify({ error: EVIL, message: EVIL }));
  writeFileSync(join(folder, 'page.car'), `<html><title>${EVIL}</title></html>`);
  mkdirSync(join(folder, EVIL));
};

/** Returns the exit code of a command on a terminal, and whether it printed a control character. */
const onTerminal =
  (...args: readonly string[]): Attack['run'] =>
  async (folder) => {
    const paths = args.map((arg) =>
      arg === 'repo' || arg.startsWith('in/') ? join(folder, arg.replace('in/', '')) : arg,
    );
    const { code, stdout, stderr } = await pdsdb(paths, { isTTY: true });
    return `${code}, ${CONTROL.test(`${stdout}${stderr}`.replace(CLEAR_LINE, '')) ? 'obeyed' : 'escaped'}`;
  };

const cases: Readonly<Record<string, readonly string[]>> = {
  'an unknown command': [EVIL],
  'an unknown command of a megabyte': [LONG],
  'an unknown option': ['ls', 'repo', `--${EVIL}`],
  'the value of an option': ['ls', 'repo', '--limit', EVIL],
  'a record that is missing': ['get', 'repo', `${POST}/${EVIL}`],
  'a JSON text': ['put', 'repo', `${POST}/a`, EVIL],
  'a CAR with escape codes in its name': ['info', `in/${EVIL}.car`],
  'a folder with escape codes in its name': ['info', `in/${EVIL}`],
  'an error of a server in place of a CAR': ['import', 'in/new', 'in/error.car'],
  'a web page in place of a CAR': ['import', 'in/new', 'in/page.car'],
};
const shown: Readonly<Record<string, readonly string[]>> = {
  'a record': ['get', 'repo', `${POST}/a`],
  'a record of 300 kB': ['get', 'repo', `${POST}/long`],
  'records in a list': ['ls', 'repo', '--values'],
  'records in a list as JSON': ['ls', 'repo', '--values', '--json'],
  'the message of a commit': ['log', 'repo'],
};

const attacksOf = (of: Readonly<Record<string, readonly string[]>>, code: number): Attack[] =>
  Object.entries(of).map(([name, args]) => ({
    name,
    make: makeRepo,
    run: onTerminal(...args),
    end: `${code}, escaped`,
  }));

export const commandAttacks: AttackClass = {
  name: 'Escape codes on a terminal',
  attacks: [...attacksOf(cases, 1), ...attacksOf(shown, 0)],
};
