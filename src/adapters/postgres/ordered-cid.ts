/**
 * The keys of blocks and blobs in PostgreSQL: 36 bytes that sort like the texts of the CIDs.
 *
 * In base32, `a` to `z` stand for 0 to 25 and `2` to `7` for 26 to 31, but in ASCII digits sort before letters. So the
 * key has each five bits of the CID plus six, modulo 32. The last three bits are the high bits of the last character,
 * whose low bits are zero: they become plus one, modulo 8. A key of 59 bytes of text would take 23 bytes more in the
 * table and again in its index.
 */
import type { CID, CidBytes } from '../../core/data/cid.ts';
import { CID_LENGTH, decodeCid, isCidBytes } from '../../core/data/cid.ts';
import { RepoError } from '../../core/errors.ts';

/** Added to each five bits, and the same for the last three bits. */
const SHIFT = 6;
const LAST_SHIFT = 1;

/** Of 20 bits: the low four bits of each five, and the high bit of each. */
const LOW = 0b01111_01111_01111_01111;
const HIGH = 0b10000_10000_10000_10000;

/** Adds to each five of 20 bits, modulo 32. The low four bits cannot overflow, and the high bit is toggled. */
const addToEach = (bits: number, added: number): number => ((bits & LOW) + (added & LOW)) ^ ((bits ^ added) & HIGH);

/** Eight groups of five bits at a time. A loop over the 57 groups took four times as long. */
const shifted = (from: Uint8Array, into: Uint8Array, at: number, shift: number, lastShift: number): void => {
  const added = shift * 0b00001_00001_00001_00001;
  const last = CID_LENGTH - 1;
  for (let i = 0; i < last; i += 5) {
    const middle = from[i + 2]!;
    const high = addToEach((from[i]! << 12) | (from[i + 1]! << 4) | (middle >> 4), added);
    const low = addToEach(((middle & 15) << 16) | (from[i + 3]! << 8) | from[i + 4]!, added);
    into[at + i] = high >> 12;
    into[at + i + 1] = high >> 4;
    into[at + i + 2] = (high << 4) | (low >> 16);
    into[at + i + 3] = low >> 8;
    into[at + i + 4] = low;
  }
  into[at + last] = ((((from[last]! >> 3) + shift) & 31) << 3) | ((from[last]! + lastShift) & 7);
};

/** Writes the key of a CID to `into` at `at`. */
export const writeKey = (cid: CidBytes, into: Uint8Array, at = 0): void => shifted(cid, into, at, SHIFT, LAST_SHIFT);

/** Returns the key of a CID. */
export const keyOfCid = (cid: CidBytes): Uint8Array<ArrayBuffer> => {
  const key = new Uint8Array(CID_LENGTH);
  writeKey(cid, key);
  return key;
};

/** Five bits in each of the eight groups of 40 bits, as a decimal number. */
const inEachGroup = (bits: string): string => BigInt(`0b${bits.repeat(8)}`).toString();

/**
 * Returns the SQL expression of the key of a CID, for statements that follow a link. It adds to the low four bits of
 * each group, which cannot overflow, and toggles the high bit. The last 40 bits begin with the last byte of the CID.
 * @param cid An expression of the 36 bytes of a CID.
 */
export const keyExpression = (cid: string): string => {
  const [low, high, shift] = ['01111', '10000', '00110'].map(inEachGroup) as [string, string, string];
  const lastShift = BigInt(`0b0011000100${'0'.repeat(30)}`);
  return `(
    select substring(string_agg(substring(
      int8send(((part & ${low}) + case n when 7 then ${lastShift} else ${shift} end) # (part & ${high})) from 4
    ), '' order by n) from 1 for ${CID_LENGTH})
    from (
      select n, ('x' || encode(substring(${cid} || decode('00000000', 'hex') from n * 5 + 1 for 5), 'hex'))::bit(40)::int8
      from generate_series(0, 7) as n
    ) as parts(n, part)
  )`;
};

/** Most bytes of a node whose children are read with it, and of such a child. Most nodes have about a kilobyte. */
const MAX_FOLLOWED = 16 * 1024;

/**
 * Returns a query of the columns `key` and `bytes`: the children of a tree node, each once. Any other block has no
 * such links, or a few that are read for nothing. In DAG-CBOR, a child has the field `l` or `t`, tag 42, and bytes that
 * begin with zero. Large nodes and children are left out, because a hostile tree could have thousands of them.
 * @param bytes An expression of the bytes of a block.
 */
export const childrenQuery = (blocks: string, repo: string, bytes: string): string => `(
    select child.key, child.bytes from (
      select distinct link[1] as cid from regexp_matches(
        case when octet_length(${bytes}) <= ${MAX_FOLLOWED} then encode(${bytes}, 'hex') else '' end,
        '61(?:6c|74)d82a582500(01711220[0-9a-f]{64})', 'g'
      ) as link
    ) as links, lateral (
      select key, bytes from ${blocks}
      where ${repo} and key = ${keyExpression(`decode(links.cid, 'hex')`)} and octet_length(bytes) <= ${MAX_FOLLOWED}
      offset 0
    ) as child
  )`;

/**
 * Returns the bytes of the CID of a stored key.
 * @throws {RepoError} `Corrupt` if it is not a key.
 */
export const cidBytesOfKey = (key: Uint8Array): CidBytes => {
  const bytes = new Uint8Array(CID_LENGTH);
  if (key.length === CID_LENGTH) {
    shifted(key, bytes, 0, 32 - SHIFT, 8 - LAST_SHIFT);
  }
  if (!isCidBytes(bytes)) {
    throw new RepoError('Corrupt', `a key of the database is not a CID: restore a backup; bytes=${key.length}`);
  }
  return bytes;
};

/**
 * Returns the CID of a stored key.
 * @throws {RepoError} `Corrupt` if it is not a key.
 */
export const cidOfKey = (key: Uint8Array): CID => decodeCid(cidBytesOfKey(key));
