/** The messages of a recorded `subscribeRepos` connection to the reference server. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeCbor } from '../../../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../../../src/core/data/cbor-encode.ts';
import type { CommitEvent, SyncEvent } from '../../../../src/core/repo/proof/commit-event.ts';
import { root } from '../../../house/sources.ts';

interface Session {
  readonly did: string;
  readonly keys: readonly string[];
}

const recorded = (name: string): Uint8Array<ArrayBuffer> =>
  new Uint8Array(readFileSync(join(root, 'test', 'recordings', 'firehose-session', name)));

/** Whose messages they are, and which keys the account had, in order. */
export const session = JSON.parse(new TextDecoder().decode(recorded('firehose.json'))) as Session;

/** The last CAR of the account. */
export const finalCar = (): Uint8Array => recorded('final.car');

export interface Message {
  readonly seq: number;
  /** Without `#`. */
  readonly type: string;
  readonly body: Readonly<Record<string, unknown>>;
}

const HEADERS = ['commit', 'sync', 'identity', 'account'].map((type) => ({
  type,
  bytes: encodeCbor({ op: 1, t: `#${type}` }),
}));

const decodeFrame = (frame: Uint8Array): Message => {
  const header = HEADERS.find(({ bytes }) => bytes.every((byte, i) => frame[i] === byte));
  if (header === undefined) {
    throw new Error(`unknown header: ${Buffer.from(frame.subarray(0, 40)).toString('hex')}`);
  }
  const body = decodeCbor(frame.subarray(header.bytes.length)) as Record<string, unknown>;
  return { seq: body['seq'] as number, type: header.type, body };
};

/** Each frame of the file has its length before it, as a big-endian number of 4 bytes. */
export const recordedFrames = (): Uint8Array[] => {
  const bytes = recorded('firehose.frames');
  const view = new DataView(bytes.buffer);
  const frames: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = at + 4 + view.getUint32(at);
    frames.push(bytes.subarray(at + 4, end));
    at = end;
  }
  return frames;
};

export const recordedMessages = (): Message[] => recordedFrames().map(decodeFrame);

export const eventOf = ({ type, body }: Message): CommitEvent | SyncEvent =>
  ({ type, ...body }) as unknown as CommitEvent | SyncEvent;
