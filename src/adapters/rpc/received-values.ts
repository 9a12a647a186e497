/** Values as the other end receives them: what `Scope.pack` was given. */
import { parseCid } from '../../core/data/cid.ts';
import { isPlainMap } from '../../core/data/plain-map.ts';
import { isBytes } from '../../core/data/platform-values.ts';
import { byteStream } from '../../core/data/streams.ts';
import type { Page, Reference } from './protocol.ts';
import { mapInner } from './sent-values.ts';

/** Calls what the other end has under a name. */
type CallBack = (name: string, params: readonly unknown[]) => Promise<unknown>;

/** @param signal Of the call whose parameters are unpacked. */
export const unpack = (value: unknown, callBack: CallBack, signal?: AbortSignal): unknown => {
  if (typeof value !== 'object' || value === null || isBytes(value)) {
    return value;
  }
  return isPlainMap(value) && typeof value['/'] === 'string'
    ? refer(value as unknown as Reference, callBack, signal)
    : mapInner(value, (inner) => unpack(inner, callBack, signal));
};

const refer = ({ '/': name, kind }: Reference, callBack: CallBack, signal?: AbortSignal): unknown => {
  const run = (...params: unknown[]): Promise<unknown> => {
    const reply = callBack(name, params);
    // A caller that ignores the reply, as for progress, ignores its failure.
    reply.catch(() => {});
    return reply;
  };
  switch (kind) {
    case undefined:
      return parseCid(name);
    case 'bytes':
      return byteStream(itemsFrom<Uint8Array>(run));
    case 'content':
      return () => byteStream(itemsFrom<Uint8Array>(run));
    case 'function':
      return run;
    case 'items':
      return itemsFrom(run);
    case 'signal':
      return signal;
    case 'text':
      return () => name;
  }
};

/** The items of a stream of the other end. Leaving it ends when its source has ended. */
async function* itemsFrom<T>(run: (isLeft?: boolean) => Promise<unknown>): AsyncGenerator<T> {
  let isOpen = true;
  try {
    while (isOpen) {
      const { done, value } = (await run()) as Page;
      isOpen = done !== true;
      yield* value as readonly T[];
    }
  } catch (error) {
    // The other end may not reply to that either.
    isOpen = false;
    void run(true);
    throw error;
  } finally {
    if (isOpen) {
      await run(true).catch(() => {});
    }
  }
}
