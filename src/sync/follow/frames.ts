/** Messages of `com.atproto.sync.subscribeRepos`. https://atproto.com/specs/event-stream */
import { decodeCbor } from '../../core/data/cbor-decode.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { CommitEvent, SyncEvent } from '../../core/repo/proof/commit-event.ts';

/** The most bytes of a message, as the specification says. */
export const MAX_FRAME: number = 5 * 1024 * 1024;
/** The most bytes of the header of a message, which is a map with two short values. */
const MAX_HEADER = 128;

/** A message about the connection. An error ends it. */
export interface Notice {
  readonly type: 'notice';
  readonly isError: boolean;
  readonly name: string;
  readonly text: string;
}

export type Message =
  | {
      readonly type: 'commit' | 'sync';
      readonly seq: number;
      readonly did: string;
      readonly event: CommitEvent | SyncEvent;
    }
  | { readonly type: 'identity'; readonly seq: number; readonly did: string }
  | {
      readonly type: 'account';
      readonly seq: number;
      readonly did: string;
      readonly active: boolean;
      /** Why the account is not active, such as `deactivated`. */
      readonly status: string | undefined;
    }
  | Notice
  | { readonly type: 'unknown' };

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const broken = (what: string): RepoError =>
  new RepoError('HostFailed', `the host sent a message that is not valid: ${what}. Connect again`);

/** Returns the header and its length. No encoded value is the start of another one: the first valid length is it. */
const readHeader = (frame: Uint8Array): { readonly header: Fields; readonly end: number } => {
  for (let end = 1; end <= Math.min(frame.length, MAX_HEADER); end++) {
    try {
      const header = decodeCbor(frame.subarray(0, end));
      if (isFields(header)) {
        return { header, end };
      }
      break;
    } catch (error) {
      if (!isRepoError(error, 'Malformed')) {
        throw error;
      }
    }
  }
  throw broken('it has no header');
};

const textOf = (value: unknown): string => (typeof value === 'string' ? value.slice(0, 300) : '');

const seqOf = ({ seq }: Fields): number => {
  if (typeof seq !== 'number' || !Number.isSafeInteger(seq)) {
    throw broken(`its seq is not a number; seq=${String(seq).slice(0, 40)}`);
  }
  return seq;
};

/**
 * Returns a message. The fields of a commit or sync event are not checked: `Repo.applyEvent` does.
 * @throws {RepoError} `HostFailed` when it breaks the format.
 */
export const decodeFrame = (frame: Uint8Array): Message => {
  if (frame.length > MAX_FRAME) {
    throw broken(`it has more than ${MAX_FRAME} bytes; size=${frame.length}`);
  }
  const { header, end } = readHeader(frame);
  let body: unknown;
  try {
    body = decodeCbor(frame.subarray(end));
  } catch (cause) {
    throw new RepoError('HostFailed', `the host sent a message that is not DAG-CBOR: connect again`, { cause });
  }
  if (!isFields(body)) {
    throw broken('its body is not a map');
  }
  if (header['op'] === -1) {
    return { type: 'notice', isError: true, name: textOf(body['error']), text: textOf(body['message']) };
  }
  switch (header['op'] === 1 ? header['t'] : undefined) {
    case '#commit':
      return {
        type: 'commit',
        seq: seqOf(body),
        did: textOf(body['repo']),
        event: { ...body, type: 'commit' } as unknown as CommitEvent,
      };
    case '#sync':
      return {
        type: 'sync',
        seq: seqOf(body),
        did: textOf(body['did']),
        event: { ...body, type: 'sync' } as unknown as SyncEvent,
      };
    case '#identity':
      return { type: 'identity', seq: seqOf(body), did: textOf(body['did']) };
    case '#account': {
      const status = textOf(body['status']) || undefined;
      return { type: 'account', seq: seqOf(body), did: textOf(body['did']), active: body['active'] === true, status };
    }
    case '#info':
      return { type: 'notice', isError: false, name: textOf(body['name']), text: textOf(body['message']) };
    default:
      return { type: 'unknown' };
  }
};

/** Returns whether a message may be of an account, without decoding it: whether the text occurs in it. */
export const mentions = (frame: Uint8Array, did: Uint8Array): boolean => {
  const last = frame.length - did.length;
  for (let at = frame.indexOf(did[0]!); at >= 0 && at <= last; at = frame.indexOf(did[0]!, at + 1)) {
    let matched = 1;
    while (matched < did.length && frame[at + matched] === did[matched]) {
      matched += 1;
    }
    if (matched === did.length) {
      return true;
    }
  }
  return false;
};
