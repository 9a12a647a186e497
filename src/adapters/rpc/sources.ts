/** Bytes that a page gives and a worker takes: whole where they can be sent whole, else pulled piece by piece. */
import type { Bytes } from '../../core/data/bytes.ts';
import { concatBytes } from '../../core/data/bytes.ts';
import { toChunks } from '../../core/car/source.ts';
import { RepoError } from '../../core/errors.ts';
import type { CarSource } from '../../core/car/source.ts';
import type { ClientMethods, ServerMethods, WireSource } from './protocol.ts';
import type { Peer } from './peer.ts';
import { isBlob, isBytes } from '../../core/data/platform-values.ts';

/** Small pieces are put together up to this size: a message costs a tenth of a millisecond, however small. */
const MIN_PIECE = 16 * 1024;
/** Large ones are cut: two of them lie in memory at a time. */
const MAX_PIECE = 1024 * 1024;

/** Sources that a page has offered, by the numbers under which they are asked for. */
export interface OfferedSources {
  /**
   * Offers a source. A `Blob` and bytes are sent as they are, and can be asked for twice; all else is a stream, which
   * fails with the signal's reason, also while it gives nothing.
   */
  offer(source: CarSource, signal?: AbortSignal): { readonly wire: WireSource; readonly withdraw: () => void };
  pull(id: number): Promise<Bytes | undefined>;
  cancel(id: number): Promise<void>;
  /** Has every stream fail. */
  fail(error: unknown): void;
}

interface Offered {
  readonly pieces: AsyncGenerator<Bytes, void>;
  /** Settles the pull that waits for a source which gives nothing. */
  readonly failed: Promise<never>;
  readonly fail: (error: unknown) => void;
}

async function* piecesOf(source: CarSource): AsyncGenerator<Bytes, void> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of toChunks(source)) {
    if (!isBytes(chunk)) {
      throw new TypeError('a stream has to give Uint8Arrays');
    }
    waiting.push(chunk);
    size += chunk.length;
    if (size < MIN_PIECE) {
      continue;
    }
    const whole = concatBytes(waiting);
    [waiting, size] = [[], 0];
    for (let at = 0; at < whole.length; at += MAX_PIECE) {
      yield whole.slice(at, at + MAX_PIECE);
    }
  }
  if (size > 0) {
    yield concatBytes(waiting);
  }
}

const offered = (source: CarSource, signal: AbortSignal | undefined): Offered => {
  let fail: (error: unknown) => void = () => {};
  const failed = new Promise<never>((_, reject) => (fail = reject));
  // Whoever pulls hears of it; there may be nobody.
  failed.catch(() => {});
  signal?.addEventListener('abort', () => fail(signal.reason), { once: true });
  return { pieces: piecesOf(source), failed, fail };
};

export const createOfferedSources = (): OfferedSources => {
  const sources = new Map<number, Offered>();
  let count = 0;

  const withdraw = (id: number): void => {
    const source = sources.get(id);
    sources.delete(id);
    source?.fail(new RepoError('Closed', 'the source is not read any more'));
    // Ending the generator cancels the stream. A source that cannot be cancelled has been read as far as it was wanted.
    source?.pieces.return().catch(() => {});
  };

  return {
    offer(source, signal) {
      if (isBytes(source)) {
        return { wire: { kind: 'bytes', bytes: source }, withdraw: () => {} };
      }
      // One that has no `stream` is of jsdom, and cannot be sent either.
      if (isBlob(source) && typeof (source as Partial<Blob>).stream === 'function') {
        return { wire: { kind: 'blob', blob: source }, withdraw: () => {} };
      }
      const id = count++;
      sources.set(id, offered(source, signal));
      return { wire: { kind: 'stream', id }, withdraw: () => withdraw(id) };
    },
    async pull(id) {
      const source = sources.get(id);
      if (source === undefined) {
        throw new RepoError('Closed', 'the source is not read any more');
      }
      const { done, value } = await Promise.race([source.pieces.next(), source.failed]);
      return done === true ? undefined : value;
    },
    async cancel(id) {
      withdraw(id);
    },
    fail(error) {
      for (const source of sources.values()) {
        source.fail(error);
      }
    },
  };
};

/** The bytes of a client's source, as what a repository takes. Reads no further than the repository does. */
export const takeSource = (
  source: WireSource,
  client: Peer<ClientMethods, ServerMethods>,
): Uint8Array | Blob | ReadableStream<Uint8Array> => {
  switch (source.kind) {
    case 'bytes':
      return source.bytes;
    case 'blob':
      return source.blob;
    case 'lost':
      return new ReadableStream<Uint8Array>(
        {
          pull: () =>
            Promise.reject(
              new RepoError(
                'OutcomeUnknown',
                'the tab that had the repository open went away while a stream was read, which cannot be read again',
              ),
            ),
        },
        { highWaterMark: 0 },
      );
    case 'stream':
      return new ReadableStream<Uint8Array>(
        {
          async pull(controller) {
            const piece = await client.call('pull', [source.id]);
            if (piece === undefined) {
              controller.close();
            } else {
              controller.enqueue(piece);
            }
          },
          cancel() {
            // A client that is gone has no stream to stop.
            client.call('cancel', [source.id]).catch(() => {});
          },
        },
        { highWaterMark: 0 },
      );
  }
};
