/**
 * The calls of one page to one repository at the other end of a port: what is sent again after a failover, and the
 * newest rev that the page has heard of.
 */
import type { Signer } from '../../core/crypto/signer.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import type { Entry } from '../../core/repo/method-tables.ts';
import { splitPath } from '../../core/repo/path.ts';
import type { Validate } from '../../core/repo/record.ts';
import type { HeadChange, WriteOp } from '../../core/repo/repo.ts';
import type { TreeEdit } from '../../core/repo/stored-records.ts';
import type { Planner } from '../../core/repo/write/plan.ts';
import { planOp } from '../../core/repo/write/plan.ts';
import type { WriteRequest } from '../../core/repo/write/write-request.ts';
import { createTidClock } from '../../core/syntax/tid.ts';
import type { Send } from './peer.ts';
import { Peer } from './peer.ts';
import type { ClientMethods, ServerMethods, TableMethods } from './server.ts';
import { uniqueName } from './unique-name.ts';

/** The fields of options that the page changes. */
interface GivenOptions {
  readonly signer?: Signer | undefined;
  readonly request?: WriteRequest | undefined;
}

export interface ClientOptions {
  /** Signs the commits of the page. */
  readonly signer?: Signer | undefined;
  readonly validate?: Validate | undefined;
}

export class ClientCalls extends Peer<ServerMethods & TableMethods, ClientMethods> {
  /** Of the repository, once a server has begun. */
  did = '';
  /** The newest rev that this page has heard of. */
  rev: string | undefined;
  readonly #signer: Signer | undefined;
  /** For the records that the page encodes. */
  readonly #planner: Planner;
  readonly #name = uniqueName();
  #writes = 0;

  /** @param onChange Called with each new head, if the page has subscribed. */
  constructor(send: Send, { signer, validate }: ClientOptions, onChange: (change: HeadChange) => void) {
    super(send, {
      change: async (change) => {
        this.#note(change.rev, change.reset);
        onChange(change);
      },
    });
    this.#signer = signer;
    this.#planner = { validate, clock: createTidClock() };
  }

  /** Returns an operation as it crosses: with the bytes of its record. Throws what `validate` throws. */
  plan(given: WriteOp): TreeEdit & Pick<WriteOp, 'action' | 'swapRecord'> {
    const { path, ...op } = planOp(this.#planner, given);
    const value = 'record' in op ? (op.record.bytes as Bytes) : undefined;
    return { action: given.action, ...splitPath(path), swapRecord: op.swapRecord, value };
  }

  /**
   * A call of a method with options.
   * @param lead Parameters before those of the method: the name of a branch. Without it, the call is about the head:
   *   the page signs it, and notes its rev.
   */
  async run(
    method: string,
    { way, options: at }: Entry,
    given: readonly unknown[],
    lead: readonly unknown[] = [],
  ): Promise<unknown> {
    const isOfHead = lead.length === 0;
    const changes = way === 'write' || way === 'once';
    const { request, ...rest } = ((at !== undefined && given[at]) || {}) as GivenOptions;
    const signer = changes && isOfHead ? (rest.signer ?? this.#signer) : undefined;
    const name = way === 'write' ? (request ?? { id: `${this.#name}.${this.#writes++}` }) : undefined;
    const since = this.rev;
    const params = (again?: WriteRequest['again']): never => {
      const sent = [...given];
      if (at !== undefined) {
        sent[at] = { ...rest, signer, request: name && { id: name.id, again: name.again ?? again } };
      }
      return [...lead, ...sent] as never;
    };
    const again = way === 'once' ? 'lost' : changes ? () => params({ since }) : undefined;
    const reply: unknown = await this.call(method as never, params(), again);
    if (changes && isOfHead && typeof reply === 'object' && reply !== null) {
      const { rev } = ('commit' in reply ? reply.commit : reply) as { readonly rev?: string };
      this.#note(rev, way === 'once');
    }
    return reply;
  }

  #note(rev: string | undefined, reset = false): void {
    if (rev !== undefined && (reset || this.rev === undefined || rev > this.rev)) {
      this.rev = rev;
    }
  }
}
