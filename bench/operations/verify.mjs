import { hash } from 'node:crypto';
import { verifyCar } from '../../dist/index.js';
import { verifyWithAtcute } from '../contenders/atcute.mjs';
import { verifyRepoCar } from '../contenders/atproto.mjs';
import { framesOf, hashWithIpld } from '../contenders/frames.mjs';

export const title = 'Verify a CAR without storing it';
export const targets = { '@atproto/repo': { 100000: 40 }, '@atcute': { 1000: 2, 100000: 3.5 } };

export const contenders = {
  pdsdb: {
    does: 'every hash, the form, order, layers and completeness of the whole tree, a rebuild of the tree, the signature',
    skips: 'nothing; stores nothing',
    load: (input) => {
      const car = input.car();
      return async () => {
        const { ok } = await verifyCar(car, { did: input.did, key: input.key });
        if (!ok) throw new Error('not valid');
      };
    },
  },
  '@atproto/repo': {
    does: 'verifyRepoCar: every hash, a walk of the tree, the signature, decoding of record blocks',
    skips: 'the order of keys over nodes, layers',
    load: (input) => {
      const car = input.car();
      return () => verifyRepoCar(car, input.did, input.key);
    },
  },
  '@atcute': {
    does: 'every hash, a walk of the tree in order, the presence of each record, the signature',
    skips: 'a rebuild of the tree; all that NodeWalker does not check',
    load: (input) => {
      const car = input.car();
      return () => verifyWithAtcute(car, input.did, input.key);
    },
  },
  '@ipld/car': {
    does: 'every hash',
    skips: 'the tree, the commit, the signature',
    load: (input) => {
      const car = input.car();
      return () => hashWithIpld(car);
    },
  },
  floor: {
    does: 'framing and one native SHA-256 of each block',
    skips: 'everything else',
    load: (input) => {
      const car = input.car();
      return () => {
        for (const { digest, bytes } of framesOf(car)) {
          if (hash('sha256', bytes, 'buffer').compare(digest) !== 0) throw new Error('wrong hash');
        }
      };
    },
  },
};
