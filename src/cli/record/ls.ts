import type { Command } from 'commander';
import type { Tree, TreeEntry } from '../../index.ts';
import { isRepoError, toJson } from '../../index.ts';
import { CAR, REPO_OR_CAR, wholeNumber, withExamples } from '../terminal/arguments.ts';
import { CommandError } from '../terminal/command-error.ts';
import { parseCollection } from './record-path.ts';
import type { ListPrinter } from '../terminal/print.ts';
import { jsonText, printList } from '../terminal/print.ts';
import { Reported } from '../terminal/reported.ts';
import type { Context } from '../terminal/shell.ts';
import { shellWord } from '../terminal/shell-word.ts';
import { withCar, withReadable } from '../terminal/with-repo.ts';

interface Flags {
  readonly values?: boolean;
  readonly limit?: number;
  readonly reverse?: boolean;
  readonly cursor?: string;
}

/** Prints an entry with its value. If the record cannot be read, prints the reason and returns `false`. */
const addWithValue = async (
  list: ListPrinter,
  tree: Tree,
  path: string,
  { collection, rkey, cid }: TreeEntry,
): Promise<boolean> => {
  try {
    const record = await tree.get(collection, rkey);
    const value = toJson(record?.value);
    await list.add({ path, cid: cid.toString(), value }, [path, cid.toString(), jsonText(value)]);
    return true;
  } catch (error) {
    if (!isRepoError(error, 'Malformed') && !isRepoError(error, 'Corrupt')) {
      throw error;
    }
    const { code, message } = error;
    await list.add({ path, cid: cid.toString(), error: code, message }, [
      path,
      cid.toString(),
      '',
      `${code}: ${message}`,
    ]);
    return false;
  }
};

/** `ls` and `car ls`: print one line per record. @param argument {@link CAR} for `car ls`. */
export const addLs = (program: Command, context: Context, argument: typeof CAR = REPO_OR_CAR): void => {
  const open = argument === CAR ? withCar : withReadable;
  const command = program
    .command('ls')
    .description('list records: path and CID')
    .argument(...argument)
    .argument('[collection]', 'collection or its at:// URI (default: all collections)')
    .option('--values', 'also print the value of each record, as JSON')
    .option('--limit <n>', 'largest number of records', wholeNumber(1))
    .option('--reverse', 'from the last key to the first; if keys are TIDs, newest first')
    .option('--cursor <rkey>', 'start after this record key')
    .action(async (directory: string, collection: string | undefined, { values, ...options }: Flags) => {
      if (options.cursor !== undefined && collection === undefined) {
        throw new CommandError('InvalidRequest', `--cursor needs a collection. Give one; cursor=${options.cursor}`);
      }
      await open(context, directory, async (repo) => {
        const only = collection === undefined ? undefined : parseCollection(collection, repo.did);
        const tree = await repo.checkout();
        const list = printList(context);
        let unreadable = 0;
        for await (const entry of tree.entries(only, options)) {
          const path = `${entry.collection}/${entry.rkey}`;
          if (values === true) {
            unreadable += (await addWithValue(list, tree, path, entry)) ? 0 : 1;
          } else {
            await list.add({ path, cid: entry.cid.toString() }, [path, entry.cid.toString()]);
          }
        }
        await list.end();
        if (unreadable > 0) {
          throw new Reported(
            `${unreadable} of the listed records cannot be read. To find all faults, run: pdsdb verify ${shellWord(directory)}`,
          );
        }
      });
    });
  withExamples(
    command,
    ...(argument === CAR
      ? ['car ls alice.car', 'car ls alice.car app.bsky.feed.post --limit 10 --values']
      : [
          'ls alice',
          'ls alice app.bsky.feed.post --reverse --limit 10 --values --json',
          'ls alice.car app.bsky.feed.post',
        ]),
  );
};
