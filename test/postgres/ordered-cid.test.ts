/** The keys of blocks have the order of the CIDs' texts. */
import { describe, expect, test } from 'vitest';
import { childrenQuery, cidOfKey, keyExpression, keyOfCid } from '../../src/adapters/postgres/ordered-cid.ts';
import { compareBytes, concatBytes } from '../../src/core/data/bytes.ts';
import type { CID, CidBytes } from '../../src/core/data/cid.ts';
import { cidBytesToText, cidOf, CODEC_DAG_CBOR, CODEC_RAW, cidTextToBytes } from '../../src/core/data/cid.ts';
import { isRepoError } from '../../src/core/errors.ts';
import { useDatabase } from './database.ts';
import { lacksPostgres, why } from './postgres-test.ts';

const random = Array.from({ length: 2000 }, (_, n) =>
  cidOf(n % 3 === 0 ? CODEC_RAW : CODEC_DAG_CBOR, new Uint8Array([n & 255, n >> 8])),
);

test('a key is the CID again', () => {
  for (const cid of random) {
    expect(String(cidOfKey(keyOfCid(cid.bytes as CidBytes)))).toBe(String(cid));
  }
});

test('keys sort as texts do', () => {
  const texts = random.map(String).sort();
  const keys = random.map((cid) => keyOfCid(cid.bytes as CidBytes)).sort(compareBytes);
  expect(keys.map((key) => String(cidOfKey(key)))).toEqual(texts);
});

test('keys of CIDs that differ in one character sort as texts do, at each character', () => {
  const base = String(random[0]);
  const characters = [...'234567abcdefghijklmnopqrstuvwxyz'];
  // The first characters are the version, the codec and the hash. The last one has two bits that are zero.
  for (let at = 8; at < base.length; at++) {
    const cids = characters
      .map((character) => cidTextToBytes(base.slice(0, at) + character + base.slice(at + 1)))
      .filter((cid) => cid !== undefined);
    expect(cids.length).toBe(at === 58 ? 8 : 32);
    const sorted = cids.map(keyOfCid).sort(compareBytes);
    expect(sorted.map((key) => String(cidOfKey(key)))).toEqual(cids.map(cidBytesToText));
  }
});

test('other bytes are Corrupt', () => {
  for (const bytes of [new Uint8Array(36), new Uint8Array(35), new Uint8Array(0)]) {
    expect(() => cidOfKey(bytes)).toThrow(expect.toSatisfy((error: unknown) => isRepoError(error, 'Corrupt')));
  }
});

describe.skipIf(lacksPostgres)(`in PostgreSQL${why}`, () => {
  const database = useDatabase();
  test('the expression of a key is the same key', async () => {
    for (const cid of random.slice(0, 200)) {
      const bytes = cid.bytes as CidBytes;
      const [row] = await database.client.query(`select ${keyExpression('$1::bytea')}`, [bytes]);
      expect(row).toEqual([keyOfCid(bytes)]);
    }
  });

  test('a node brings each small child once, and no large one', async () => {
    const { client, names } = database;
    const store = async (cid: CID, bytes: Uint8Array): Promise<void> => {
      await client.query(`insert into ${names.blocks} (repo, key, bytes) values (1, $1::bytea, $2::bytea)`, [
        keyOfCid(cid.bytes as CidBytes),
        bytes,
      ]);
    };
    const link = (cid: CID): Uint8Array =>
      concatBytes([Uint8Array.of(0x61, 0x74, 0xd8, 0x2a, 0x58, 0x25, 0), cid.bytes]);
    const children = async (node: Uint8Array): Promise<unknown[]> => {
      const rows = await client.query(
        `select key from ${childrenQuery(names.blocks, 'repo = 1', '$1::bytea')} as child`,
        [node],
      );
      return rows.map(([key]) => String(cidOfKey(key as Uint8Array))).sort();
    };
    const [small, large, missing] = random.filter(({ code }) => code === CODEC_DAG_CBOR) as [CID, CID, CID];
    await store(small, new Uint8Array(100));
    await store(large, new Uint8Array(20_000));
    const node = concatBytes([...Array.from({ length: 200 }, () => link(small)), link(large), link(missing)]);
    expect(await children(node)).toEqual([String(small)]);
    expect(await children(concatBytes([node, new Uint8Array(20_000)]))).toEqual([]);
  });
});
