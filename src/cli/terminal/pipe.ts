/**
 * Reads and writes named pipes, and pipes and sockets that a shell passes as `/dev/fd/63`. Non-blocking, because
 * opening a pipe without another end blocks a thread, which no signal interrupts and for which Node waits at exit.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { ReadStream, isatty } from 'node:tty';
import { errnoOf } from './file-error.ts';

const HANDED_OVER = /^\/(?:dev|proc\/(?:self|\d+))\/fd\/(\d+)$/;

/** The interval between two checks for a reader of a named pipe. The system has no event for it. */
const LOOK_EVERY_MS = 50;

/** Returns the descriptor in a path like `/dev/fd/63`, if it is a path of this process. */
const descriptorOf = (path: string): number | undefined => {
  const [, digits] = HANDED_OVER.exec(path) ?? [];
  const pid = /^\/proc\/(\d+)\//.exec(path)?.[1];
  return digits === undefined || (pid !== undefined && Number(pid) !== process.pid) ? undefined : Number(digits);
};

/** Whether a path names the standard input of this process. */
export const isStandardInput = (path: string): boolean =>
  path === '-' || path === '/dev/stdin' || descriptorOf(path) === 0;

/**
 * Returns the descriptor of a pipe or socket in a path like `/dev/fd/63`. It is used directly, because opening the path
 * makes another descriptor: for a pipe whose writer has ended it does not report the end, and for a socket it fails.
 */
const handedOver = (path: string): number | undefined => {
  const fd = descriptorOf(path);
  if (fd === undefined) {
    return undefined;
  }
  try {
    const stats = fstatSync(fd);
    return stats.isFIFO() || stats.isSocket() ? fd : undefined;
  } catch (error) {
    if (errnoOf(error) !== 'EBADF') {
      throw error;
    }
    return undefined;
  }
};

/** Returns a stream of a pipe, or `undefined` if the path is not a pipe. Reading waits for a writer. */
export const openReadPipe = (path: string, isFifo: boolean): Readable | undefined => {
  const fd = handedOver(path) ?? (isFifo ? openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) : undefined);
  return fd === undefined ? undefined : new Socket({ fd, readable: true, writable: false });
};

/** Returns a stream of a terminal, such as `/dev/tty`, or `undefined` for another device. */
export const openTerminal = (path: string): Readable | undefined => {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  if (isatty(fd)) {
    return new ReadStream(fd);
  }
  closeSync(fd);
  return undefined;
};

const openForReader = async (path: string, signal: AbortSignal | undefined): Promise<number> => {
  for (;;) {
    signal?.throwIfAborted();
    try {
      return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if (errnoOf(error) !== 'ENXIO') {
        throw error;
      }
    }
    await wait(LOOK_EVERY_MS, undefined, signal === undefined ? {} : { signal });
  }
};

/** Waits for a reader and returns a stream into a pipe, or `undefined` if the path is not a pipe. */
export const openWritePipe = async (
  path: string,
  isFifo: boolean,
  signal?: AbortSignal,
): Promise<Duplex | undefined> => {
  const fd = handedOver(path) ?? (isFifo ? await openForReader(path, signal) : undefined);
  return fd === undefined ? undefined : new Socket({ fd, readable: false, writable: true });
};
