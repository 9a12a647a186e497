/**
 * Named pipes, and the pipes and sockets that a shell hands over as `/dev/fd/63`. They are read and written through
 * events: opening a pipe that has no other end blocks a thread, which no signal interrupts and which Node waits for
 * when it exits.
 */
import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { ReadStream, isatty } from 'node:tty';
import { errnoOf } from './file-error.ts';

const HANDED_OVER = /^\/(?:dev|proc\/(?:self|\d+))\/fd\/(\d+)$/;

/** How often to look for a reader of a named pipe. The system has no event for it. */
const LOOK_EVERY_MS = 50;

/** The number of the file that a path like `/dev/fd/63` stands for, if it is open here. */
const descriptorOf = (path: string): number | undefined => {
  const [, digits] = HANDED_OVER.exec(path) ?? [];
  const pid = /^\/proc\/(\d+)\//.exec(path)?.[1];
  return digits === undefined || (pid !== undefined && Number(pid) !== process.pid) ? undefined : Number(digits);
};

/** Whether a path names the standard input of this process. */
export const isStandardInput = (path: string): boolean =>
  path === '-' || path === '/dev/stdin' || descriptorOf(path) === 0;

/**
 * The pipe or socket that a path like `/dev/fd/63` stands for. It is used as it is, since opening the path makes
 * another one: that of a pipe whose writer has ended does not report the end, and that of a socket fails.
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

/** What comes out of a pipe, or `undefined` when the path names none. Waits for a writer when the stream is read. */
export const openReadPipe = (path: string, isFifo: boolean): Readable | undefined => {
  const fd = handedOver(path) ?? (isFifo ? openSync(path, constants.O_RDONLY | constants.O_NONBLOCK) : undefined);
  return fd === undefined ? undefined : new Socket({ fd, readable: true, writable: false });
};

/** What a person types into a terminal that is named by its path (`/dev/tty`); `undefined` for another device. */
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

/** A way into a pipe, once it has a reader; `undefined` when the path names none. */
export const openWritePipe = async (
  path: string,
  isFifo: boolean,
  signal?: AbortSignal,
): Promise<Duplex | undefined> => {
  const fd = handedOver(path) ?? (isFifo ? await openForReader(path, signal) : undefined);
  return fd === undefined ? undefined : new Socket({ fd, readable: false, writable: true });
};
