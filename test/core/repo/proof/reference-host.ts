/** A host that makes random commits with `@atproto/repo`, and announces each. */
import { Secp256k1Keypair } from '@atproto/crypto';
import type { RecordWriteOp } from '@atproto/repo';
import { BlockMap, MemoryBlockstore, Repo as ReferenceRepo, WriteOpAction, blocksToCarFile } from '@atproto/repo';
import { parseCid } from '../../../../src/core/data/cid.ts';
import type { CID } from '../../../../src/core/data/cid.ts';
import type { CommitEvent, EventOp } from '../../../../src/core/repo/proof/commit-event.ts';

const COLLECTION = 'com.example.thing';
const KEYS = 400;

const ours = (cid: { toString(): string }): CID => parseCid(cid.toString());

const carOf = async (root: ReferenceRepo['cid'], blocks: BlockMap): Promise<Uint8Array<ArrayBuffer>> =>
  Uint8Array.from(await blocksToCarFile(root, blocks));

export interface HostCommit {
  readonly cid: CID;
  readonly event: CommitEvent;
  /** The CAR of the new blocks since the commit before. */
  readonly difference: Uint8Array<ArrayBuffer>;
}

export class ReferenceHost {
  readonly key: string;
  /** The CAR of the first commit. */
  readonly start: Uint8Array<ArrayBuffer>;
  readonly #keypair: Secp256k1Keypair;
  readonly #random: () => number;
  readonly #records = new Map<string, CID>();
  #repo: ReferenceRepo;

  static async create(did: string, random: () => number): Promise<ReferenceHost> {
    const keypair = await Secp256k1Keypair.create();
    const storage = new MemoryBlockstore();
    const repo = await ReferenceRepo.create(storage, did, keypair);
    return new ReferenceHost(keypair, random, repo, await carOf(repo.cid, storage.blocks));
  }

  constructor(keypair: Secp256k1Keypair, random: () => number, repo: ReferenceRepo, start: Uint8Array<ArrayBuffer>) {
    this.key = keypair.did();
    this.start = start;
    this.#keypair = keypair;
    this.#random = random;
    this.#repo = repo;
  }

  /** Makes a commit of one to four changes. */
  async next(): Promise<HostCommit> {
    const before = this.#repo;
    const rkeys = new Set(Array.from({ length: 1 + this.#below(4) }, () => this.#below(KEYS).toString(36)));
    const writes = [...rkeys].map((rkey) => this.#write(rkey));
    const commit = await before.formatCommit(writes, this.#keypair);
    this.#repo = await before.applyCommit(commit);
    const ops: EventOp[] = [];
    for (const { action, rkey } of writes) {
      ops.push(await this.#opOf(action, `${COLLECTION}/${rkey}`));
    }
    const blocks = new BlockMap();
    blocks.addMap(commit.newBlocks);
    blocks.addMap(commit.relevantBlocks);
    const cid = ours(commit.cid);
    const event: CommitEvent = {
      type: 'commit',
      repo: before.did,
      commit: cid,
      rev: commit.rev,
      since: commit.since,
      prevData: ours(before.commit.data),
      ops,
      blocks: await carOf(commit.cid, blocks),
    };
    return { cid, event, difference: await carOf(commit.cid, commit.newBlocks) };
  }

  #below(count: number): number {
    return Math.floor(this.#random() * count);
  }

  #write(rkey: string): RecordWriteOp {
    const isPresent = this.#records.has(`${COLLECTION}/${rkey}`);
    if (isPresent && this.#random() < 0.5) {
      return { action: WriteOpAction.Delete, collection: COLLECTION, rkey };
    }
    const action = isPresent ? WriteOpAction.Update : WriteOpAction.Create;
    const record = { $type: COLLECTION, number: this.#below(1_000_000), text: 'x'.repeat(this.#below(50)) };
    return { action, collection: COLLECTION, rkey, record };
  }

  async #opOf(action: WriteOpAction, path: string): Promise<EventOp> {
    const before = this.#records.get(path);
    const prev = before === undefined ? {} : { prev: before };
    if (action === WriteOpAction.Delete) {
      this.#records.delete(path);
      return { action: 'delete', path, cid: null, ...prev };
    }
    const cid = ours((await this.#repo.data.get(path))!);
    this.#records.set(path, cid);
    return { action: before === undefined ? 'create' : 'update', path, cid, ...prev };
  }
}
