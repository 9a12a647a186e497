/** `import --ndjson`: checks every line, and then writes all records in one commit. */
import type { CID, RecordValue, Repo, WriteOp } from '../../index.ts';
import {
  assertCollection,
  assertRecordKey,
  blobMentions,
  cidEquals,
  cidOf,
  CODEC_DAG_CBOR,
  encodeCbor,
  fromJson,
  isRepoError,
  MAX_RECORD_SIZE,
  parseCid,
  RepoError,
} from '../../index.ts';
import { readSigner } from '../key/key-file.ts';
import { parseWholeRecordPath } from '../record/record-path.ts';
import { warnOfClock } from '../record/clock-warning.ts';
import { CommandError } from '../terminal/command-error.ts';
import { nameOfInput, openInput } from '../terminal/input.ts';
import { linesOf } from '../terminal/lines.ts';
import { printOne } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { withRepo } from '../terminal/with-repo.ts';

/** The most bytes of a line. An escape takes six bytes for one. */
const MAX_LINE = 16 * 1024 * 1024;

/** A checked line. */
interface Line {
  readonly number: number;
  readonly collection: string;
  readonly rkey: string;
  readonly value: RecordValue;
  readonly cid: CID;
}

const invalid = (message: string): RepoError => new RepoError('InvalidRecord', message);

const textOf = (map: Readonly<Record<string, unknown>>, name: string): string | undefined => {
  const value = map[name];
  if (value !== undefined && typeof value !== 'string') {
    throw invalid(`${name} is not a text`);
  }
  return value;
};

/** Parses a line. The errors have no line number. */
const parseLine = (text: string, did: string): Omit<Line, 'number'> => {
  const json: unknown = JSON.parse(text);
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw invalid('the line is not an object');
  }
  const map = json as Readonly<Record<string, unknown>>;
  const path = textOf(map, 'uri') ?? textOf(map, 'path');
  if (path === undefined) {
    throw invalid('the line has no uri and no path');
  }
  const { collection, rkey } = parseWholeRecordPath(path, did);
  assertCollection(collection);
  assertRecordKey(rkey);
  const given = fromJson(map['value']);
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw invalid('the value is missing, or is not an object');
  }
  const value = { $type: collection, ...given } as RecordValue;
  if (value['$type'] !== collection) {
    throw invalid(`the $type of the value is not the collection; $type=${String(value['$type'])}`);
  }
  if (blobMentions(value).some(({ size }) => size < 0)) {
    throw invalid('a blob has the old form (cid and mimeType)');
  }
  const bytes = encodeCbor(value);
  if (bytes.length > MAX_RECORD_SIZE) {
    throw new RepoError(
      'RecordTooLarge',
      `the record has more than ${MAX_RECORD_SIZE} bytes: store large data as a blob; size=${bytes.length}`,
    );
  }
  const cid = cidOf(CODEC_DAG_CBOR, bytes);
  const named = textOf(map, 'cid');
  if (named !== undefined && !cidEquals(parseCid(named), cid)) {
    throw invalid(
      `the value does not match its cid: remove the cid from an edited line; expected=${named} found=${cid.toString()}`,
    );
  }
  return { collection, rkey, value, cid };
};

/** Adds the number of the line to an error. */
const atLine = (error: unknown, number: number, source: string): unknown => {
  const { message } = error as Error;
  const text = `Line ${number} is not a record, and nothing was written: ${message}; line=${number} input=${source}`;
  return isRepoError(error)
    ? new RepoError(error.code, text, { cause: error })
    : new CommandError('InvalidRequest', text, { cause: error });
};

const readLines = async (context: Context, source: string, did: string): Promise<Line[]> => {
  const lines: Line[] = [];
  const numbers = new Map<string, number>();
  const name = nameOfInput(source);
  for await (const { number, text } of linesOf(await openInput(context, source), MAX_LINE, name)) {
    try {
      const line = { number, ...parseLine(text, did) };
      const path = `${line.collection}/${line.rkey}`;
      const before = numbers.get(path);
      if (before !== undefined) {
        throw invalid(`line ${before} has the same path: remove one of them; path=${path}`);
      }
      numbers.set(path, number);
      lines.push(line);
    } catch (error) {
      throw atLine(error, number, name);
    }
  }
  return lines;
};

interface Plan {
  readonly ops: readonly WriteOp[];
  readonly created: number;
  readonly updated: number;
  readonly unchanged: number;
}

const planWrites = async (repo: Repo, head: CID | undefined, lines: readonly Line[]): Promise<Plan> => {
  const tree = await repo.checkout(head);
  const wanted = new Map(lines.map((line) => [`${line.collection}/${line.rkey}`, line]));
  const present = new Map<string, CID>();
  for await (const { collection, rkey, cid } of tree.entries()) {
    const path = `${collection}/${rkey}`;
    if (wanted.has(path)) {
      present.set(path, cid);
    }
  }
  const ops: WriteOp[] = [];
  let updated = 0;
  for (const [path, { collection, rkey, value, cid }] of wanted) {
    const before = present.get(path);
    if (before === undefined) {
      ops.push({ action: 'create', collection, rkey, value });
    } else if (!cidEquals(before, cid)) {
      ops.push({ action: 'update', collection, rkey, value });
      updated += 1;
    }
  }
  return { ops, created: ops.length - updated, updated, unchanged: wanted.size - ops.length };
};

export interface ImportNdjsonFlags {
  readonly key: string | undefined;
}

/** Writes the records of a file with one line per record. Records that are not in the file stay. */
export const importNdjson = async (
  context: Context,
  directory: string,
  source: string,
  { key }: ImportNdjsonFlags,
): Promise<void> => {
  const signer = await readSigner(context, key);
  await withRepo(
    context,
    directory,
    async (repo) => {
      const lines = await readLines(context, source, repo.did);
      const head = await repo.head();
      const { ops, ...counts } = await planWrites(repo, head?.cid, lines);
      const commit = ops.length === 0 ? head : await repo.write(ops, { swapCommit: head?.cid ?? null });
      const result = { head: commit?.cid.toString() ?? null, rev: commit?.rev ?? null, ...counts };
      await printOne(context, result, [
        ['head', result.head ?? 'none yet'],
        ['rev', result.rev ?? undefined],
        ['created', counts.created],
        ['updated', counts.updated],
        ['unchanged', counts.unchanged],
      ]);
      if (commit !== undefined) {
        await warnOfClock(context, commit);
      }
    },
    signer,
  );
};
