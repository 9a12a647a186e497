/** The methods of {@link RepoProofs} that only read. */
import type { Bytes } from '../../data/bytes.ts';
import type { CID } from '../../data/cid.ts';
import type { RepoParts } from '../open-parts.ts';
import { pathOf } from '../path.ts';
import { RepoMethods } from '../repo-methods.ts';
import { exportBlocks } from '../transfer/export-blocks.ts';
import type { CommitEvent, SyncEvent } from './commit-event.ts';
import { makeEvent } from './make-event.ts';
import { proveRecord } from './prove-record.ts';
import type { ProofOptions } from './repo-proofs.ts';

export abstract class ProofMethods extends RepoMethods {
  readonly #parts: () => RepoParts;

  /** @param parts Throws once the repository is closed. */
  constructor(parts: () => RepoParts) {
    super();
    this.#parts = parts;
  }

  async proveRecord(path: string, options?: ProofOptions): Promise<Bytes> {
    return proveRecord(this.#parts(), pathOf(path, undefined), options);
  }

  async exportBlocks(cids: readonly CID[]): Promise<Bytes> {
    return exportBlocks(this.#parts(), cids);
  }

  async commitEvent(at?: string | CID): Promise<CommitEvent | SyncEvent> {
    return makeEvent(this.#parts(), at);
  }
}
