import type { Command } from 'commander';
import type { Outbox, OutboxEntry } from '../../sync.ts';
import { openOutbox } from '../../sync.ts';
import { REPO, withExamples } from '../terminal/arguments.ts';
import { CommandError } from '../terminal/command-error.ts';
import { readRecord } from '../terminal/input.ts';
import { printList, printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withRepo } from '../terminal/with-repo.ts';
import { parseRecordPath } from '../record/record-path.ts';

const PATH: readonly [string, string] = ['<collection/rkey>', 'path or at:// URI of the record'];
const CHOICES = ['ours', 'theirs'];

/** Opens the outbox while `use` runs. */
const withOutbox = <T>(
  context: Context,
  directory: string,
  use: (outbox: Outbox, did: string) => Promise<T>,
): Promise<T> =>
  withRepo(context, directory, async (repo) => {
    await using outbox = openOutbox(repo);
    return await use(outbox, repo.did);
  });

interface RecordKey {
  readonly collection: string;
  readonly rkey: string;
  /** `collection/rkey` */
  readonly path: string;
}

/** The same for one record. */
const withRecord = <T>(
  context: Context,
  directory: string,
  given: string,
  use: (outbox: Outbox, key: RecordKey, did: string) => Promise<T>,
): Promise<T> =>
  withOutbox(context, directory, async (outbox, did) => {
    const { collection, rkey } = parseRecordPath(given, did);
    if (rkey === undefined) {
      throw new CommandError('InvalidRequest', `The path has no record key. Give collection/rkey; path=${collection}`);
    }
    return use(outbox, { collection, rkey, path: `${collection}/${rkey}` }, did);
  });

const toJson = ({ path, action, state, base, ours, theirs, attempts, error }: OutboxEntry): object => ({
  path,
  action,
  state,
  base: base?.toString() ?? null,
  ours: ours?.toString() ?? null,
  theirs: theirs?.toString() ?? null,
  attempts,
  ...(error === undefined ? {} : { error }),
});

const list = async (context: Context, directory: string): Promise<void> =>
  withOutbox(context, directory, async (outbox) => {
    const printer = printList(context);
    for (const entry of await outbox.pending()) {
      const { path, action, state, error } = entry;
      await printer.add(toJson(entry), [path, action, state, error?.message]);
    }
    await printer.end();
  });

/** `outbox`: changes that wait for the account's host. */
export const addOutboxVerbs = (program: Command, context: Context): void => {
  const outbox = program.command('outbox').description("changes that wait for the account's host; push sends them");
  outbox
    .command('ls')
    .alias('list')
    .description('list the pending changes: path, action, state, error')
    .argument(...REPO)
    .action((directory: string) => list(context, directory));
  outbox
    .command('put')
    .description('create or replace a record at the next push')
    .argument(...REPO)
    .argument(...PATH)
    .argument('<json>', 'value: JSON, @file, or - for standard input ($type defaults to the collection)')
    .action(async (directory: string, path: string, source: string) => {
      const value = await readRecord(context, source);
      await withRecord(context, directory, path, async (box, { collection, rkey }) => {
        const { uri, cid } = await box.put(collection, rkey, value);
        await printOne(context, { uri, cid: cid.toString() }, [
          ['uri', uri],
          ['cid', cid.toString()],
        ]);
      });
    });
  outbox
    .command('rm')
    .description('delete a record at the next push')
    .argument(...REPO)
    .argument(...PATH)
    .action((directory: string, path: string) =>
      withRecord(context, directory, path, async (box, { collection, rkey, path: key }, did) => {
        await box.delete(collection, rkey);
        const uri = `at://${did}/${key}`;
        await printOne(context, { uri }, [['uri', uri]]);
      }),
    );
  outbox
    .command('discard')
    .description('drop a pending change')
    .argument(...REPO)
    .argument(...PATH)
    .action((directory: string, given: string) =>
      withRecord(context, directory, given, async (box, { path }) => {
        const discarded = await box.discard(path);
        await printOne(context, { path, discarded }, [['discarded', discarded ? path : 'nothing was pending']]);
      }),
    );
  const resolve = outbox
    .command('resolve')
    .description('end a conflict: send your value, take that of the host, or send another one')
    .argument(...REPO)
    .argument(...PATH)
    .argument('<choice>', 'ours, theirs, or a value: JSON, @file, or - for standard input')
    .action(async (directory: string, given: string, choice: string) => {
      const value = CHOICES.includes(choice) ? (choice as 'ours' | 'theirs') : await readRecord(context, choice);
      await withRecord(context, directory, given, async (box, { path }) => {
        await box.resolve(path, value);
        await printOne(context, { path, resolved: true }, [['resolved', path]]);
      });
    });
  withExamples(
    resolve,
    'outbox resolve alice com.example.note/1 theirs',
    `outbox resolve alice com.example.note/1 '{"text":"both"}'`,
  );
};
