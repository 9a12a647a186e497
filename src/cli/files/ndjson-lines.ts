/** Records as lines of JSON: `{"uri": …, "cid": …, "value": …}`, the value in the JSON form of the data model. */
import type { Repo, Tree, TreeEntry } from '../../index.ts';
import { isRepoError, toJson } from '../../index.ts';
import { storedBytes } from '../record/stored-bytes.ts';
import { jsonText } from '../terminal/print.ts';

/** Characters per chunk. A chunk per line would be slow. */
const CHUNK_LENGTH = 65_536;

const lineOf = async (repo: Repo, tree: Tree, entry: TreeEntry): Promise<string> => {
  const { collection, rkey, cid } = entry;
  const named = { uri: `at://${repo.did}/${collection}/${rkey}`, cid: cid.toString() };
  try {
    return jsonText({ ...named, value: toJson((await tree.get(collection, rkey))!.value) });
  } catch (error) {
    if (!isRepoError(error, 'Malformed') && !isRepoError(error, 'InvalidRecord')) {
      throw error;
    }
    return jsonText({ ...named, bytes: toJson(await storedBytes(repo, tree.base!, entry)) });
  }
};

/** The records of an export so far. */
export interface LineCount {
  records: number;
}

/**
 * Yields the records of a tree as lines, in chunks. A record that is not in the data model has its stored bytes, as
 * `bytes`, in place of `value`.
 */
export async function* ndjsonOf(
  repo: Repo,
  tree: Tree,
  collection: string | undefined,
  count: LineCount,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let chunk = '';
  for await (const entry of tree.entries(collection)) {
    signal.throwIfAborted();
    chunk += `${await lineOf(repo, tree, entry)}\n`;
    count.records += 1;
    if (chunk.length >= CHUNK_LENGTH) {
      yield chunk;
      chunk = '';
    }
  }
  if (chunk !== '') {
    yield chunk;
  }
}
