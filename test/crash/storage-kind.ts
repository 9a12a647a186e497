/** The two kinds of storage. The same workload and the same cuts run over both. */
import { nodeSqliteWasm } from '../../src/adapters/platform/node-sqlite-wasm.ts';
import { sqliteRepo } from '../../src/adapters/sqlite/open-repo.ts';
import { DiskImage } from './disk-image.ts';
import type { LogEntry } from './disk-log.ts';
import type { Place } from './place.ts';
import { fingerprintOf, placeOn } from './place.ts';
import { PowerCut } from './power-cut.ts';
import type { Cut } from './power-cut.ts';
import type { DiskCall } from './simulated-disk.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import type { OriginEntry } from './simulated-origin.ts';
import { OriginImage, SimulatedOrigin } from './simulated-origin.ts';

export interface Mark {
  readonly kind: 'start' | 'ack';
  readonly step: number;
}

/** Follows the log for a power cut. */
export interface Power<I, E> {
  follow(entry: E): void;
  image(cut: Cut, random: () => number, note: (choice: number) => void): I;
}

/** A running storage. */
export interface Running<E> {
  readonly place: Place;
  readonly log: readonly E[];
}

/** `I` is the content at one moment. `E` is an entry of the log. */
export interface StorageKind<I, E extends { readonly kind: string }> {
  readonly name: string;
  blank(): I;
  copy(image: I): I;
  /** The storage owns the image after this call. */
  run(image: I): Running<E>;
  power(before: I): Power<I, E>;
  /** Whether a cut after this entry has the same choices as a cut before it, and one more. */
  onlyAdds(entry: E): boolean;
}

/** Files that `flush` makes durable. Calls that match `forgets` do nothing, as if the code lacked them. */
export const onDiskWithout = (
  forgets: (call: DiskCall, disk: SimulatedDisk) => boolean,
): StorageKind<DiskImage, LogEntry> => ({
  name: 'files on a disk',
  blank: () => new DiskImage(),
  copy: (image) => image.copy(),
  run(image) {
    const disk = new SimulatedDisk(image);
    disk.interfere = (call) => (forgets(call, disk) ? 'does nothing' : undefined);
    return { place: placeOn(disk), log: disk.log };
  },
  power: (before) => new PowerCut(before),
  onlyAdds: ({ kind }) => kind === 'write' || kind === 'truncate',
});

export const onDisk: StorageKind<DiskImage, LogEntry> = onDiskWithout(() => false);

/** Pages that `persist` makes durable. A cut leaves all of a transaction or none of it. */
export const inOrigin: StorageKind<OriginImage, OriginEntry> = {
  name: 'pages in transactions',
  blank: () => new OriginImage(),
  copy: (image) => new OriginImage(image),
  run(image) {
    const origin = new SimulatedOrigin(image);
    return { place: placeInOrigin(origin), log: origin.log };
  },
  power(before) {
    const image = new OriginImage(before);
    return { follow: (entry) => image.apply(entry), image: () => new OriginImage(image) };
  },
  onlyAdds: () => false,
};

export const placeInOrigin = (origin: SimulatedOrigin): Place => ({
  open: (did) =>
    sqliteRepo(
      {
        wasm: nodeSqliteWasm,
        openFiles: () => origin.openFiles(did !== undefined),
        openBlobs: async () => origin.openBlobs(),
      },
      { did },
    ),
  kill: () => origin.kill(),
  mark: (kind, step) => origin.mark(kind, step),
  fingerprint() {
    const [main] = origin.image.files;
    const pages = [...main!.pages].filter(([index]) => index * 4096 < main!.size).sort(([a], [b]) => a - b);
    const blobs = [...origin.image.blobs].sort(([a], [b]) => (a < b ? -1 : 1));
    return fingerprintOf([
      ...pages.map(([index, page]) => [`${index}`, [page]] as const),
      ...blobs.map(([name, bytes]) => [name, [bytes]] as const),
    ]);
  },
  remaining: () => (origin.isHeld ? ['a lock'] : []),
});
