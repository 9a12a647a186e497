/** Reads `_commit.json` of an unpacked folder, also one that goat wrote. */
import type { Bytes } from '../../core/data/bytes.ts';
import { encodeCbor } from '../../core/data/cbor-encode.ts';
import { fromJson } from '../../core/data/json.ts';
import { isRepoError, RepoError } from '../../core/errors.ts';
import type { Commit } from '../../core/repo/commit.ts';
import { decodeCommit } from '../../core/repo/commit.ts';
import type { Place } from './place.ts';
import { io } from './place.ts';
import { readUnpacked } from './unpacked-files.ts';
import { COMMIT_NAME } from './unpacked-names.ts';

export interface UnpackedCommit {
  readonly commit: Commit;
  /** The block of the commit. */
  readonly bytes: Bytes;
}

/** Converts `{"/": "bafy…"}`, which goat writes for a link. */
const linkOf = (json: unknown): unknown =>
  typeof json === 'object' && json !== null && '/' in json ? { $link: json['/'] } : json;

/** Converts the base64 text that goat writes for the signature. */
const bytesOf = (json: unknown): unknown => (typeof json === 'string' ? { $bytes: json.replace(/=+$/, '') } : json);

/** Returns the members of a commit. Of other members, `decodeCommit` reports the first. */
const normalised = (json: unknown): unknown => {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    return json;
  }
  const { data, prev, sig, ...rest } = json as Readonly<Record<string, unknown>>;
  return {
    ...rest,
    ...(data === undefined ? {} : { data: linkOf(data) }),
    ...(sig === undefined ? {} : { sig: bytesOf(sig) }),
    prev: prev === undefined ? null : linkOf(prev),
  };
};

/**
 * Returns the commit of an unpacked folder, or `undefined` if the folder has none.
 * @throws {RepoError} `Malformed` if the file is not a commit; `StorageFailed`.
 */
export const readUnpackedCommit = async (place: Place): Promise<UnpackedCommit | undefined> => {
  const { parent, name, path } = place;
  const entry = await io(`reading ${path}`, parent.entry(`${name}/${COMMIT_NAME}`));
  if (entry === undefined) {
    return undefined;
  }
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(await readUnpacked(place, COMMIT_NAME));
    const bytes = encodeCbor(fromJson(normalised(JSON.parse(text))));
    return { commit: decodeCommit(bytes), bytes };
  } catch (error) {
    if (!isRepoError(error) && !(error as Error).name.endsWith('Error')) {
      throw error;
    }
    throw new RepoError(
      'Malformed',
      `${COMMIT_NAME} is not a commit: restore the file that unpack wrote, or remove it and name the account; ` +
        `reason=${(error as Error).message} path=${path}/${COMMIT_NAME}`,
      { cause: error },
    );
  }
};
