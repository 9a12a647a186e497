/** `car`: verbs for CARs without a repository. */
import type { Command } from 'commander';
import type { Tree, TreeEntry } from '../../index.ts';
import { cidEquals } from '../../index.ts';
import { addLs } from '../record/ls.ts';
import { addVerify } from '../repo/verify.ts';
import { CAR, forceOption, withExamples } from '../terminal/arguments.ts';
import { assertPath } from '../terminal/input.ts';
import { printList, printOne } from '../terminal/print.ts';
import { formatBytes, withProgress } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';
import { withCar } from '../terminal/with-repo.ts';
import { writeFile } from '../terminal/write-file.ts';

const pathOf = ({ collection, rkey }: TreeEntry): string => `${collection}/${rkey}`;

/** Yields the entries of two trees that differ, in key order. */
async function* differences(
  before: Tree,
  after: Tree,
): AsyncGenerator<readonly [old: TreeEntry | undefined, now: TreeEntry | undefined]> {
  const left = before.entries()[Symbol.asyncIterator]();
  const right = after.entries()[Symbol.asyncIterator]();
  const next = async (entries: AsyncIterator<TreeEntry>): Promise<TreeEntry | undefined> => {
    const { done, value } = await entries.next();
    return done === true ? undefined : value;
  };
  let [old, now] = [await next(left), await next(right)];
  while (old !== undefined || now !== undefined) {
    const isOld = now === undefined || (old !== undefined && pathOf(old) < pathOf(now));
    const isNow = old === undefined || (now !== undefined && pathOf(now) < pathOf(old));
    if (isOld) {
      yield [old, undefined];
    } else if (isNow) {
      yield [undefined, now];
    } else if (!cidEquals(old!.cid, now!.cid)) {
      yield [old, now];
    }
    old = isNow ? old : await next(left);
    now = isOld ? now : await next(right);
  }
}

const diff = async (context: Context, from: string, to: string): Promise<void> => {
  await withCar(context, from, async (before) =>
    withCar(context, to, async (after) => {
      const list = printList(context);
      for await (const [old, now] of differences(await before.checkout(), await after.checkout())) {
        const action = old === undefined ? 'create' : now === undefined ? 'delete' : 'update';
        const path = pathOf((old ?? now)!);
        const [prev, cid] = [old?.cid.toString(), now?.cid.toString()];
        await list.add({ action, path, prev, cid }, [action, path, prev, cid]);
      }
      await list.end();
    }),
  );
};

const compact = async (context: Context, source: string, output: string, force: boolean | undefined): Promise<void> => {
  assertPath(output, 'the file to write');
  await withCar(context, source, async (repo) => {
    const { blocks } = await repo.info();
    let kept = 0;
    const bytes = await withProgress(context, ({ signal, onProgress }) => {
      const car = repo.exportCar({
        signal,
        onProgress(progress) {
          kept = progress.blocks;
          onProgress?.(progress);
        },
      });
      return writeFile(output, car, { force, signal: context.signal });
    });
    const head = (await repo.head())!;
    const result = {
      head: head.cid.toString(),
      rev: head.rev,
      blocks: kept,
      removed: blocks - kept,
      bytes,
      file: output,
    };
    await printOne(context, result, [
      ['head', result.head],
      ['rev', result.rev],
      ['blocks', kept],
      ['removed', result.removed],
      ['size', formatBytes(bytes)],
      ['file', output],
    ]);
  });
};

/** `car`: checks, lists, compares and rewrites CARs. */
export const addCarVerbs = (program: Command, context: Context): void => {
  const car = program
    .command('car')
    .description('CARs without a repository; get, info, export and others also take a CAR');

  addVerify(car, context, CAR);
  addLs(car, context, CAR);

  const compare = car
    .command('diff')
    .description('list the records that differ between two CARs: action, path, CID before, CID after')
    .argument('<from>', CAR[1])
    .argument('<to>', CAR[1])
    .action((from: string, to: string) => diff(context, from, to));
  withExamples(compare, 'car diff yesterday.car today.car');

  const rewrite = car
    .command('compact')
    .description('write the CAR in preorder, without blocks that its root does not reach, and without duplicates')
    .argument(...CAR)
    .argument('<output>', 'file to write')
    .addOption(forceOption())
    .action((source: string, output: string, { force }: { force?: boolean }) =>
      compact(context, source, output, force),
    );
  withExamples(rewrite, 'car compact alice.car compact.car');
};
