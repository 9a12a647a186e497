/** Finds the records of an unpacked folder by the names of its files. Follows no link. */
import { MAX_BLOCK_SIZE } from '../../core/car/decoder.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import { compareText, concatBytes } from '../../core/data/bytes.ts';
import { RepoError } from '../../core/errors.ts';
import { isTreeKey } from '../../core/mst/key.ts';
import type { ParentFolder, Place } from './place.ts';
import { io } from './place.ts';
import { BLOBS_NAME, COMMIT_NAME, decodeName, isContinued } from './unpacked-names.ts';

export type RecordEnding = 'bin' | 'cbor' | 'json';

/** A file with one record. */
export interface RecordFile {
  /** `collection/rkey` */
  readonly key: string;
  readonly ending: RecordEnding;
  /** The path of the file in the folder. */
  readonly file: string;
}

const FILE = /^(.*)\.(json|cbor|bin)$/s;

/** Files that file managers of macOS and Windows add to folders. The file of a record never has such a name. */
const DESKTOP = /^(?:\.DS_Store|\.localized|\._.*|Thumbs\.db|desktop\.ini)$/i;

/** The most bytes of a file. In JSON, an escape takes six characters for one. */
const MAX_FILE_SIZE: number = 8 * MAX_BLOCK_SIZE;

/**
 * Reads a file of an unpacked folder.
 * @throws {RepoError} `LimitExceeded` if it is too large for a record; `StorageFailed`.
 */
export const readUnpacked = async ({ parent, name, path }: Place, file: string): Promise<Bytes> => {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of parent.read(`${name}/${file}`)) {
    size += chunk.length;
    if (size > MAX_FILE_SIZE) {
      throw new RepoError(
        'LimitExceeded',
        `a file has more than ${MAX_FILE_SIZE} bytes, so it is not a record: move it out of the folder; path=${path}/${file}`,
      );
    }
    chunks.push(chunk.slice());
  }
  return concatBytes(chunks);
};

/** @param path The path that a message shows. */
const refuse = (what: string, path: string): RepoError =>
  new RepoError('Malformed', `the folder has ${what}: move it out of the folder; path=${path}`);

const unexpected = (isFolder: boolean, kind: string, path: string): RepoError =>
  kind === 'other'
    ? refuse('a symbolic link or a special file, which is not followed', path)
    : refuse(
        isFolder
          ? 'a file where a folder of records is expected'
          : 'a file that is not a record (<rkey>.json, .cbor or .bin)',
        path,
      );

/** Lists the records of one folder, in any order. */
class Walk {
  readonly files: RecordFile[] = [];
  readonly #parent: ParentFolder;
  readonly #root: string;
  readonly #label: string;

  constructor({ parent, name, path }: Place) {
    this.#parent = parent;
    this.#root = name;
    this.#label = path;
  }

  /** @param start The first parts of the collection's name. */
  async collections(path: string, start: string): Promise<void> {
    for (const { name, kind, inner } of await this.#entries(path)) {
      // `.git` and other hidden entries beside the collections are not records.
      if (start === '' && (name === COMMIT_NAME || name === BLOBS_NAME || name.startsWith('.'))) {
        continue;
      }
      if (kind !== 'folder') {
        throw unexpected(true, kind, this.#show(inner));
      }
      await (isContinued(name)
        ? this.collections(inner, start + name.slice(0, -1))
        : this.#records(inner, decodeName(start + name, this.#show(inner)), ''));
    }
  }

  /** @param start The first parts of the record key. */
  async #records(path: string, collection: string, start: string): Promise<void> {
    for (const { name, kind, inner } of await this.#entries(path)) {
      if (kind === 'folder' && isContinued(name)) {
        await this.#records(inner, collection, start + name.slice(0, -1));
        continue;
      }
      const [, rkey, ending] = (kind === 'file' && FILE.exec(name)) || [];
      if (rkey === undefined) {
        throw unexpected(false, kind, this.#show(inner));
      }
      const key = `${collection}/${decodeName(start + rkey, this.#show(inner))}`;
      if (!isTreeKey(key)) {
        throw new RepoError(
          'Malformed',
          `the path of a file is not that of a record, <collection>/<rkey>.json: rename it, or move it out of the folder; path=${this.#show(inner)}`,
        );
      }
      this.files.push({ key, ending: ending as RecordEnding, file: inner });
    }
  }

  async #entries(path: string): Promise<{ readonly name: string; readonly kind: string; readonly inner: string }[]> {
    const folder = path === '' ? this.#root : `${this.#root}/${path}`;
    const entries: { name: string; kind: string; inner: string }[] = [];
    for await (const name of this.#parent.names(folder)) {
      const entry = await this.#parent.entry(`${folder}/${name}`);
      if (entry !== undefined && !(entry.kind === 'file' && DESKTOP.test(name))) {
        entries.push({ name, kind: entry.kind, inner: path === '' ? name : `${path}/${name}` });
      }
    }
    return entries;
  }

  #show(inner: string): string {
    return `${this.#label}/${inner}`;
  }
}

/**
 * Returns the records of an unpacked folder in key order.
 * @throws {RepoError} `Malformed` for an entry that is not a record, and for two files of one record; `StorageFailed`.
 */
export const listRecordFiles = async (place: Place): Promise<RecordFile[]> => {
  const walk = new Walk(place);
  await io(`reading ${place.path}`, walk.collections('', ''));
  const files = walk.files.sort((a, b) => compareText(a.key, b.key));
  files.forEach(({ key, file }, i) => {
    const before = files[i - 1];
    if (before?.key === key) {
      throw new RepoError(
        'Malformed',
        `two files have the same record: remove one of them; record=${key} paths=${place.path}/${before.file}, ${place.path}/${file}`,
      );
    }
  });
  return files;
};
