/** What crosses a wire comes out as it went in: values with CIDs, and errors. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { ErrorBook } from '../../../src/adapters/rpc/error-data.ts';
import { Peer } from '../../../src/adapters/rpc/peer.ts';
import type { Message, Page } from '../../../src/adapters/rpc/protocol.ts';
import { unpack } from '../../../src/adapters/rpc/received-values.ts';
import { MAX_PAGE_BYTES, Scope } from '../../../src/adapters/rpc/sent-values.ts';
import { CID, CODEC_RAW, cidOf } from '../../../src/core/data/cid.ts';
import { chunksOf } from '../../../src/core/data/streams.ts';
import { RepoError } from '../../../src/core/errors.ts';

const cid = cidOf(CODEC_RAW, new Uint8Array([1, 2, 3]));
const scope = new Scope(new Map(), MAX_PAGE_BYTES);
const across = (value: unknown): unknown =>
  unpack(structuredClone(scope.pack(value)), () => Promise.reject(new Error('not called')));

describe('values', () => {
  test('CIDs at any depth are CIDs after a message', () => {
    const value = { cid, list: [cid, { deep: cid }], map: new Map([['a', cid]]), none: undefined, nothing: null };
    const found = across(value) as typeof value;
    expect(found.cid).toBeInstanceOf(CID);
    expect([found.cid, found.list[0], (found.list[1] as { deep: CID }).deep, found.map.get('a')].map(String)).toEqual(
      Array(4).fill(String(cid)),
    );
    expect([found.none, found.nothing]).toEqual([undefined, null]);
  });

  test('a view of a buffer is sent without the rest of the buffer', () => {
    const part = new Uint8Array(1_000_000).subarray(5, 8);
    const packed = scope.pack(part) as Uint8Array;
    expect([packed.length, packed.buffer.byteLength]).toEqual([3, 3]);
  });
});

describe('errors', () => {
  test('keep class, code, message and causes', () => {
    const [here, there] = [new ErrorBook(), new ErrorBook()];
    const error = new RepoError('StorageFull', 'no room', {
      cause: new TypeError('inner', { cause: new DOMException('deep', 'AbortError') }),
    });
    const found = there.toError(structuredClone(here.toData(error))) as RepoError & { cause: Error & { cause: Error } };
    expect(found).toBeInstanceOf(RepoError);
    expect([found.code, found.message]).toEqual(['StorageFull', 'no room']);
    expect(found.cause).toBeInstanceOf(TypeError);
    expect([found.cause.cause.name, found.cause.cause.message]).toEqual(['AbortError', 'deep']);
  });

  test('that are sent back are the same objects', () => {
    const [here, there] = [new ErrorBook(), new ErrorBook()];
    for (const thrown of [new Error('mine'), 'a text', 7]) {
      const visiting = there.toError(structuredClone(here.toData(thrown)));
      expect(here.toError(structuredClone(there.toData(visiting)))).toBe(thrown);
    }
  });

  test('that are their own cause are sent without a loop', () => {
    const error = new Error('round');
    error.cause = error;
    expect(new ErrorBook().toData(error).message).toBe('round');
  });
});

describe('two ends', () => {
  interface Methods {
    slow(n: number): Promise<number>;
  }

  test('an unknown method rejects, and so does an argument that cannot be sent', async () => {
    const wire: { toServer?: (message: Message) => void } = {};
    const client = new Peer<Methods & { other(value: unknown): Promise<void> }, object>(
      (message) => wire.toServer!(structuredClone(message)),
      {},
    );
    const server = new Peer<object, Methods>((message) => client.receive(structuredClone(message)), {
      slow: async (n) => n + 1,
    });
    wire.toServer = (message) => server.receive(message);
    expect(await client.call('slow', [1])).toBe(2);
    await expect(client.call('other', [1])).rejects.toThrow(/different versions/);
    await expect(client.call('other', [new WeakMap()])).rejects.toThrow(TypeError);
    client.end(new Error('over'));
    await expect(client.call('slow', [1])).rejects.toThrow('over');
  });

  test('a stream that the other end never reads is cancelled when the call ends', async () => {
    interface Ignoring {
      ignore(source: ReadableStream<Uint8Array>): Promise<void>;
    }
    const wire: { toServer?: (message: Message) => void } = {};
    const client = new Peer<Ignoring, object>((message) => wire.toServer!(structuredClone(message)), {});
    const server = new Peer<object, Ignoring>((message) => client.receive(structuredClone(message)), {
      ignore: async () => {},
    });
    wire.toServer = (message) => server.receive(message);
    const reasons: unknown[] = [];
    await client.call('ignore', [new ReadableStream({ cancel: (reason) => void reasons.push(reason) })]);
    expect(reasons).toMatchObject([{ code: 'Closed' }]);
  });

  test('the pages of a stream that were read are not kept until the call ends', async () => {
    interface Reading {
      read(source: ReadableStream<Uint8Array>): Promise<number>;
    }
    const sent: WeakRef<object>[] = [];
    const wire: { toServer?: (message: Message) => void } = {};
    const client = new Peer<Reading, object>((message) => {
      if (message.kind === 'reply') {
        (message.value as Page | undefined)?.value.forEach((chunk) => sent.push(new WeakRef(chunk as Uint8Array)));
      }
      queueMicrotask(() => wire.toServer!(structuredClone(message)));
    }, {});
    const server = new Peer<object, Reading>(
      (message) => queueMicrotask(() => client.receive(structuredClone(message))),
      {
        async read(source) {
          const chunks = chunksOf(source);
          for (let i = 0; i < 100; i++) {
            await chunks.next();
          }
          // A reference that was made in this turn of the event loop still keeps its value.
          await new Promise((resolve) => setTimeout(resolve));
          setFlagsFromString('--expose-gc');
          (runInNewContext('gc') as () => void)();
          await chunks.return(undefined);
          return sent.filter((chunk) => chunk.deref() !== undefined).length;
        },
      },
    );
    wire.toServer = (message) => server.receive(message);
    const pull = (controller: ReadableStreamDefaultController): void =>
      controller.enqueue(new Uint8Array(MAX_PAGE_BYTES));
    const kept = await client.call('read', [new ReadableStream({ pull })]);
    expect([sent.length >= 100, kept < 20]).toEqual([true, true]);
  });
});
