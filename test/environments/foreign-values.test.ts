/** The packed package stores records that contain the classes of other packages. */
import { describe, expect } from 'vitest';
import { environmentTest as test } from './environment-test.ts';
import { TOOLS } from './places.ts';
import { runToEnd } from './run-program.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** Writes `value`, and prints the stored record. atcute also computes the CID of `expected`. */
const program = (imports: string, value: string, expected: string): string => `
  import { encode, toBytes } from '@atcute/cbor';
  import { create, fromString, toCidLink, toString } from '@atcute/cid';
  import { createRepo } from 'pdsdb/node';
  ${imports}

  const repo = await createRepo(process.argv[1], { did: 'did:web:foreign.example' });
  const blob = await repo.putBlob(new Blob(['hello'], { type: 'text/plain' }));
  const ref = String(blob.ref);
  const link = fromString(ref);
  const { rkey } = await repo.create('com.example.note', ${value});
  const { value: stored } = await repo.getJson('com.example.note', rkey);
  const { cid } = await repo.get('com.example.note', rkey);
  const other = toString(await create(0x71, encode(${expected})));
  const missing = [];
  for await (const one of repo.missingBlobs()) missing.push(String(one.cid));
  const { ok } = await repo.verify();
  await repo.close();
  console.log(JSON.stringify({ ref, stored, isSame: String(cid) === other, missing, ok }));
`;

const STORED_BLOB = `{ $type: 'com.example.note', file: { $type: 'blob', ref: toCidLink(link), mimeType: 'text/plain', size: 5 } }`;

describe('a record', () => {
  const folder = temporaryFolder();
  const outcomeOf = async (...parts: Parameters<typeof program>): Promise<Record<string, unknown>> => {
    const args = ['--input-type=module', '-e', program(...parts), folder()];
    return JSON.parse(await runToEnd(process.execPath, args, { cwd: TOOLS })) as Record<string, unknown>;
  };

  test.each([
    ['made by hand', `new BlobRef(CID.parse(ref), 'text/plain', 5)`],
    ['as a server returns it', `jsonToLex({ $type: 'blob', ref: { $link: ref }, mimeType: 'text/plain', size: 5 })`],
  ])('keeps a BlobRef of @atproto/api, %s', async (_name, file) => {
    const imports = `import { BlobRef, jsonToLex } from '@atproto/api'; import { CID } from 'multiformats/cid';`;
    const check = `(() => { const file = ${file}; if (!(file instanceof BlobRef)) throw new Error('not a BlobRef'); return { file }; })()`;
    const { ref, ...outcome } = await outcomeOf(imports, check, STORED_BLOB);
    expect(outcome).toEqual({
      stored: {
        $type: 'com.example.note',
        file: { $type: 'blob', ref: { $link: ref }, mimeType: 'text/plain', size: 5 },
      },
      isSame: true,
      missing: [],
      ok: true,
    });
  });

  test('keeps a CidLink of @atcute/cid, in a list and in a blob', async () => {
    const value = `{ links: [toCidLink(link)], file: { $type: 'blob', ref: toCidLink(link), mimeType: 'text/plain', size: 5 } }`;
    const expected = value.replace('{', `{ $type: 'com.example.note', `);
    const { ref, ...outcome } = await outcomeOf('', value, expected);
    expect(outcome).toEqual({
      stored: {
        $type: 'com.example.note',
        links: [{ $link: ref }],
        file: { $type: 'blob', ref: { $link: ref }, mimeType: 'text/plain', size: 5 },
      },
      isSame: true,
      missing: [],
      ok: true,
    });
  });
});
