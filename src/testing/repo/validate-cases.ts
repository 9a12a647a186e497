/** Test cases of every repository: the option `validate`. */
import { encodeCbor } from '../../core/data/cbor-encode.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, rejectionOf } from '../case.ts';
import type { RepoHarness } from './harness.ts';
import { DID, KEY, LIKE, POST, describe, post } from './harness.ts';

const LINK = 'bafyreie5737gdxlw5i64vzichcalba3z2v5n6icifvx5xytvske7mr3hpm';

export const repoValidateCases: readonly Case<RepoHarness>[] = [
  {
    name: 'validate gets the JSON form of each record before it is stored, and the write rejects with its error',
    async run(harness) {
      const seen: string[] = [];
      const refusal = new RangeError('too long');
      const repo = await harness.create({
        did: DID,
        signer: KEY,
        validate: (collection, json) => {
          seen.push(`${collection} ${JSON.stringify(json['link'] ?? json['text'])}`);
          if (json['text'] === 'wrong') {
            throw refusal;
          }
        },
      });
      const branch = repo.branch('drafts');
      await repo.create(POST, { text: 'a', link: { $link: LINK } });
      await repo.put(POST, 'b', post('b'));
      await repo.put(POST, 'b', encodeCbor(post('c')));
      await repo.write([{ action: 'create', collection: LIKE, value: { text: 'd' } }]);
      await branch.put(POST, 'e', post('e'));
      const tree = await (await repo.checkout()).put(POST, 'f', post('f'));
      assertEqual(
        seen,
        [`${POST} {"$link":"${LINK}"}`, `${POST} "b"`, `${POST} "c"`, `${LIKE} "d"`, `${POST} "e"`, `${POST} "f"`],
        'what was seen',
      );
      const before = await describe(repo);
      const wrong = post('wrong');
      const writes: readonly (readonly [string, () => Promise<unknown>])[] = [
        ['create', () => repo.create(POST, wrong)],
        ['put', () => repo.put(POST, 'b', wrong)],
        ['put of bytes', () => repo.put(POST, 'b', encodeCbor(wrong))],
        [
          'write',
          () =>
            repo.write([
              { action: 'create', collection: POST, value: post('right') },
              { action: 'update', collection: POST, rkey: 'b', value: wrong },
            ]),
        ],
        ['a branch', () => branch.put(POST, 'e', wrong)],
        ['create on a branch', () => branch.create(POST, wrong)],
        ['a tree', () => tree.put(POST, 'f', wrong)],
      ];
      for (const [name, write] of writes) {
        assert((await rejectionOf(write, name)) === refusal, `${name} rejects with what was thrown`);
      }
      assertEqual(await describe(repo), before, 'nothing has changed');
      await repo.delete(POST, 'b');
      await repo.close();
    },
  },
];
