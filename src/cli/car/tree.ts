/** `tree`: prints the Merkle Search Tree with the marks of `goat repo mst`: `─◉` is a block, `─◌` a missing one. */
import type { Command } from 'commander';
import type { CarSource } from '../../index.ts';
import { CID, decodeCbor, decodeCommit, MAX_TREE_DEPTH, parseCid, readCarStream, RepoError } from '../../index.ts';
import { parseState } from '../repo/state.ts';
import { REPO_OR_CAR, withExamples } from '../terminal/arguments.ts';
import { openInput } from '../terminal/input.ts';
import type { ListPrinter } from '../terminal/print.ts';
import { printList } from '../terminal/print.ts';
import type { Context } from '../terminal/shell.ts';
import { isCar, withReadable } from '../terminal/with-repo.ts';

interface Flags {
  readonly at?: string;
  readonly full?: boolean;
  readonly root?: string;
}

/** A node as it is encoded: an entry has the suffix of its key, and the length of the prefix that it shares. */
interface StoredNode {
  readonly l: CID | null;
  readonly e: readonly { readonly k: Uint8Array; readonly p: number; readonly v: CID; readonly t: CID | null }[];
}

/** A child of a node in the picture: a subtree, or a record. */
interface Branch {
  readonly cid: CID;
  /** The key of a record. `undefined` for a subtree. */
  readonly key: string | undefined;
  /** The key without the prefix that it shares with the one before. */
  readonly label: string;
}

/** Characters of a CID that are shown without `--full`. */
const SHORT_CID = 7;

const malformed = (cid: CID): RepoError =>
  new RepoError('Malformed', `a block is not a node of a tree: run pdsdb verify; cid=${cid.toString()}`);

const isEntry = (entry: unknown): boolean => {
  const { k, p, v, t } = entry as { k?: unknown; p?: unknown; v?: unknown; t?: unknown };
  return (
    ArrayBuffer.isView(k) && typeof p === 'number' && CID.asCID(v) !== null && (t === null || CID.asCID(t) !== null)
  );
};

const branchesOf = (cid: CID, bytes: Uint8Array): Branch[] => {
  const node = decodeCbor(bytes) as StoredNode | null;
  const isNode =
    typeof node === 'object' &&
    node !== null &&
    Array.isArray(node.e) &&
    node.e.every((entry) => typeof entry === 'object' && entry !== null && isEntry(entry)) &&
    (node.l === null || CID.asCID(node.l) !== null);
  if (!isNode) {
    throw malformed(cid);
  }
  const branches: Branch[] = node.l === null ? [] : [{ cid: node.l, key: undefined, label: '' }];
  let key = '';
  for (const { k, p, v, t } of node.e) {
    const suffix = new TextDecoder().decode(k);
    key = key.slice(0, p) + suffix;
    branches.push({ cid: v, key, label: `${'∙'.repeat(Math.min(p, key.length))}${suffix} ` });
    if (t !== null) {
      branches.push({ cid: t, key: undefined, label: '' });
    }
  }
  return branches;
};

type Blocks = ReadonlyMap<string, Uint8Array>;

const readBlocks = async (source: CarSource): Promise<{ readonly root: CID; readonly blocks: Blocks }> => {
  const car = await readCarStream(source);
  const blocks = new Map<string, Uint8Array>();
  for await (const batch of car) {
    for (const { cid, bytes } of batch) {
      blocks.set(cid.toString(), bytes);
    }
  }
  const [commit] = car.roots;
  const bytes = commit && blocks.get(commit.toString());
  if (bytes === undefined) {
    throw new RepoError('BlockNotFound', `the CAR has no commit: get it again; root=${String(commit)}`);
  }
  return { root: decodeCommit(bytes).data, blocks };
};

/** Prints a block and everything below it. */
class Picture {
  readonly #blocks: Blocks;
  readonly #list: ListPrinter;
  readonly #isFull: boolean;

  constructor(blocks: Blocks, list: ListPrinter, isFull: boolean) {
    this.#blocks = blocks;
    this.#list = list;
    this.#isFull = isFull;
  }

  async print({ cid, key, label }: Branch, before: string, below: string, depth: number): Promise<void> {
    const text = cid.toString();
    const bytes = this.#blocks.get(text);
    const shown = this.#isFull ? text : `…${text.slice(-SHORT_CID)}`;
    const kind = key === undefined ? 'node' : 'record';
    await this.#list.add({ kind, depth, cid: text, key, present: bytes !== undefined }, [
      `${before}${label}[${shown}]${bytes === undefined ? '─◌' : '─◉'}`,
    ]);
    if (bytes === undefined || key !== undefined) {
      return;
    }
    if (depth > MAX_TREE_DEPTH) {
      throw new RepoError(
        'LimitExceeded',
        `the tree has more than ${MAX_TREE_DEPTH} levels: run pdsdb verify; cid=${text}`,
      );
    }
    const branches = branchesOf(cid, bytes);
    for (const [i, branch] of branches.entries()) {
      const isLast = i === branches.length - 1;
      await this.print(branch, `${below}${isLast ? '└── ' : '├── '}`, `${below}${isLast ? '    ' : '│   '}`, depth + 1);
    }
  }
}

const show = async (context: Context, source: CarSource, { full, root }: Flags): Promise<void> => {
  const { root: data, blocks } = await readBlocks(source);
  const list = printList(context);
  const top = root === undefined ? data : parseCid(root);
  await new Picture(blocks, list, full === true).print({ cid: top, key: undefined, label: '' }, '', '', 0);
  await list.end();
};

/** `tree`: prints the Merkle Search Tree. */
export const addTree = (program: Command, context: Context): void => {
  const command = program
    .command('tree')
    .description('print the tree of the records: ─◉ marks a block, ─◌ a missing one, ∙ a character of the previous key')
    .argument(...REPO_OR_CAR)
    .option('--at <state>', 'the commit to print: a rev, a CID or a ref (default: the head)')
    .option('-f, --full', 'print whole CIDs')
    .option('-r, --root <cid>', 'print the tree below this node')
    .action(async (where: string, flags: Flags) => {
      if (await isCar(where)) {
        // Not opened as a repository, because a proof or a part of a repository also has a tree.
        await show(context, await openInput(context, where), flags);
        return;
      }
      await withReadable(context, where, (repo) =>
        show(context, repo.exportCar({ at: flags.at === undefined ? undefined : parseState(flags.at) }), flags),
      );
    });
  withExamples(command, 'tree alice', 'tree proof.car --full');
};
