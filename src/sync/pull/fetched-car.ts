/** CARs of a host, which stay in memory while they are imported, so that what they lack can be added. */
import type { CarBlock } from '../../core/car/reader.ts';
import { readCar } from '../../core/car/reader.ts';
import { writeCar } from '../../core/car/writer.ts';
import { concatBytes } from '../../core/data/bytes.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import { cidToText } from '../../core/data/cid.ts';
import { byteStream, chunksOf } from '../../core/data/streams.ts';
import { RepoError } from '../../core/errors.ts';
import { readBody } from '../http/limited-body.ts';
import type { CallOptions, Session } from '../http/xrpc.ts';
import { openXrpc } from '../http/xrpc.ts';

/** Most bytes of a CAR that stay in memory. A larger CAR that lacks blocks is fetched again. */
export const MAX_REMEMBERED: number = 64 * 1024 * 1024;

/** Most blocks of one call of `getBlocks`. Their CIDs fit in a URL that hosts accept. */
export const MAX_BLOCKS_IN_CALL = 100;

const GET_REPO = 'com.atproto.sync.getRepo';
const GET_BLOCKS = 'com.atproto.sync.getBlocks';

/** A CAR that is being read. */
export interface FetchedCar {
  readonly stream: ReadableStream<Uint8Array>;
  /** Returns the whole CAR, or `undefined` if it was not read to its end or is too large. */
  bytes(): Bytes | undefined;
}

const openCar = async (session: Session, nsid: string, options: CallOptions): Promise<Response> => {
  const response = await openXrpc(session, nsid, options);
  const type = response.headers.get('content-type') ?? '';
  if (/^(text|image)\/|json/.test(type)) {
    await response.body?.cancel();
    throw new RepoError(
      'HostFailed',
      `the host did not return a CAR: check that its address is that of a PDS; method=${nsid} type=${type.slice(0, 80)}`,
    );
  }
  return response;
};

/**
 * Opens the CAR of a repository. With `since`, it has only blocks of later commits.
 */
export const fetchRepo = async (
  session: Session,
  params: { readonly did: string; readonly since?: string | undefined },
  signal?: AbortSignal,
): Promise<FetchedCar> => {
  const response = await openCar(session, GET_REPO, { params, signal });
  let chunks: Uint8Array[] | undefined = [];
  let size = 0;
  let ended = false;
  const remember = async function* (): AsyncGenerator<Uint8Array, undefined> {
    if (response.body !== null) {
      for await (const chunk of chunksOf(response.body)) {
        size += chunk.length;
        if (size > MAX_REMEMBERED) {
          chunks = undefined;
        }
        // A copy, because a reader may transfer the chunk to another thread.
        chunks?.push(chunk.slice());
        yield chunk;
      }
    }
    ended = true;
    return undefined;
  };
  return {
    stream: byteStream(remember()),
    bytes: () => (ended && chunks !== undefined ? concatBytes(chunks) : undefined),
  };
};

/** Returns blocks that the host has, as a CAR without a root. At most {@link MAX_BLOCKS_IN_CALL}. */
export const fetchBlocks = async (
  session: Session,
  did: string,
  cids: readonly string[],
  signal?: AbortSignal,
): Promise<Bytes> => {
  const response = await openCar(session, GET_BLOCKS, { params: { did, cids }, signal });
  return readBody(response, MAX_REMEMBERED);
};

/** Returns a CAR with the root of the last one that has a root, and the blocks of all, each once. */
export const mergeCars = (cars: readonly Uint8Array[]): Bytes => {
  const blocks = new Map<string, CarBlock>();
  for (const car of cars) {
    for (const block of readCar(car)) {
      blocks.set(cidToText(block.cid), block);
    }
  }
  const roots = cars.map((car) => readCar(car).roots).findLast((list) => list.length > 0) ?? [];
  return writeCar(roots, blocks.values());
};
