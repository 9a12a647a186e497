/** The commands of a test to the page and to the worker. Arguments and results are JSON. */
import type { BrowserStorage } from '../../src/adapters/platform/browser-platform.ts';
import { hasOpfs } from '../../src/adapters/origin/opfs.ts';
import { repoCommands } from './repo-commands.ts';
import { runCase } from './suites.ts';
import type { SuiteName } from './suites.ts';
import { troubleCommands } from './trouble-commands.ts';

type Command = (args: any) => Promise<unknown>;

export const commands = {
  ...repoCommands,
  ...troubleCommands,
  hasOpfs: () => hasOpfs(),
  runCase: ({ suite, storage, name }: { suite: SuiteName; storage: BrowserStorage; name: string }) =>
    runCase(suite, storage, name),
} satisfies Record<string, Command>;

export type CommandName = keyof typeof commands;
