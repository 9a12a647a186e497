import { Readable } from 'node:stream';
import type { Command } from 'commander';
import { RepoError, parseCid, toJson } from '../../index.ts';
import { REPO, REPO_OR_CAR, forceOption, withExamples } from '../terminal/arguments.ts';
import { CommandError } from '../terminal/command-error.ts';
import { openInput } from '../terminal/input.ts';
import { mimeTypeOf } from './mime-type.ts';
import { printList, printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withReadable, withRepo } from '../terminal/with-repo.ts';
import { writeFile } from '../terminal/write-file.ts';

interface GetFlags {
  readonly output?: string;
  readonly force?: boolean;
}

const addBlob = async (context: Context, directory: string, source: string, mimeType: string): Promise<void> =>
  withRepo(context, directory, async (repo) => {
    const stream = Readable.toWeb(await openInput(context, source)) as ReadableStream<Uint8Array>;
    const ref = await repo.putBlob(stream, { mimeType, signal: context.signal });
    await printOne(context, toJson(ref), [
      ['cid', ref.ref.toString()],
      ['type', ref.mimeType],
      ['size', ref.size],
    ]);
  });

const getBlob = async (
  context: Context,
  directory: string,
  text: string,
  { output, force }: GetFlags,
): Promise<void> => {
  if (output === undefined && context.stdout.isTTY) {
    throw new CommandError(
      'InvalidRequest',
      'A blob is not written to a terminal. Give -o <file>, or redirect the output to a file or a pipe.',
    );
  }
  const cid = parseCid(text);
  await withRepo(context, directory, async (repo) => {
    const blob = await repo.getBlob(cid);
    if (blob === undefined) {
      throw new RepoError(
        'BlobNotFound',
        `the repository does not have the blob: pdsdb blob ls lists its blobs; cid=${text}`,
      );
    }
    if (output === undefined) {
      for await (const chunk of blob.stream()) {
        context.signal.throwIfAborted();
        await context.stdout.bytes(chunk);
      }
      return;
    }
    const size = await writeFile(output, blob.stream(), { force, signal: context.signal });
    await printOne(context, { cid: text, mimeType: blob.type, size, file: output }, [
      ['cid', text],
      ['type', blob.type],
      ['size', size],
      ['file', output],
    ]);
  });
};

/** `blob`: images, videos and other files that records refer to. */
export const addBlobVerbs = (program: Command, context: Context): void => {
  const blob = program.command('blob').description('images, videos and other files that records refer to');

  const add = blob
    .command('add')
    .description('store a blob and print the reference for a record')
    .argument(...REPO)
    .argument('<file>', 'a file, a pipe, or - for standard input')
    .option('--type <mime>', 'MIME type (default: from the name of the file)')
    .action((directory: string, source: string, { type }: { type?: string }) =>
      addBlob(context, directory, source, type ?? mimeTypeOf(source)),
    );
  withExamples(add, 'blob add alice avatar.png --json');

  const get = blob
    .command('get')
    .description('check the hash of a blob and write the blob')
    .argument(...REPO)
    .argument('<cid>', 'CID of the blob')
    .option('-o, --output <file>', 'file to write (default: standard output)')
    .addOption(forceOption())
    .action((directory: string, cid: string, flags: GetFlags) => getBlob(context, directory, cid, flags));
  withExamples(get, 'blob get alice bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku -o avatar.png');

  const list = blob
    .command('ls')
    .description('list the stored blobs: CID, size, MIME type')
    .argument(...REPO_OR_CAR)
    .action((directory: string) =>
      withReadable(context, directory, async (repo) => {
        const printer = printList(context);
        for await (const { cid, size, mimeType } of repo.blobs()) {
          await printer.add({ cid: cid.toString(), size, mimeType }, [cid.toString(), size, mimeType]);
        }
        await printer.end();
      }),
    );
  withExamples(list, 'blob ls alice');

  const missing = blob
    .command('missing')
    .description('list the blobs that records refer to and that are missing: CID, size, MIME type, a record')
    .argument(...REPO_OR_CAR)
    .action((directory: string) =>
      withReadable(context, directory, async (repo) => {
        const printer = printList(context);
        for await (const { cid, size, mimeType, uri } of repo.missingBlobs()) {
          await printer.add({ cid: cid.toString(), size, mimeType, uri }, [cid.toString(), size, mimeType, uri]);
        }
        await printer.end();
      }),
    );
  withExamples(missing, 'blob missing alice');
};
