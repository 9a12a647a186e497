import type { Repo } from '../../index.ts';
import { parseCollection } from '../record/record-path.ts';
import { parseState } from '../repo/state.ts';
import { printOne } from '../terminal/print.ts';
import { formatBytes } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';
import { writeFile } from '../terminal/write-file.ts';
import { ndjsonOf } from './ndjson-lines.ts';

export interface NdjsonFlags {
  readonly output?: string;
  readonly at?: string;
  readonly collection?: string;
  readonly force?: boolean;
}

const encoded = async function* (chunks: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const chunk of chunks) {
    yield encoder.encode(chunk);
  }
};

/** `export --ndjson`: writes one line per record, to a file or to standard output. */
export const exportNdjson = async (context: Context, repo: Repo, flags: NdjsonFlags): Promise<void> => {
  const { output, at, force } = flags;
  const tree = await repo.checkout(at === undefined ? undefined : parseState(at));
  const collection = flags.collection === undefined ? undefined : parseCollection(flags.collection, repo.did);
  const count = { records: 0 };
  const lines = ndjsonOf(repo, tree, collection, count, context.signal);
  if (output === undefined) {
    for await (const chunk of lines) {
      await context.stdout.text(chunk);
    }
    return;
  }
  const bytes = await writeFile(output, encoded(lines), { force, signal: context.signal });
  const result = { head: tree.base?.toString(), records: count.records, bytes, file: output };
  await printOne(context, result, [
    ['head', result.head],
    ['records', count.records],
    ['size', formatBytes(bytes)],
    ['file', output],
  ]);
};
