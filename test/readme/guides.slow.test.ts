/** The programs of the guides run unchanged, twice, in an empty folder. Those of pages run in test/browser. */
import { beforeAll, describe, expect, test } from 'vitest';
import { buildPackage } from '../built-package.ts';
import { filesBelow, textOf } from '../house/sources.ts';
import { runTwice } from './run-twice.ts';
import type { Run } from './run-twice.ts';
import { samplesOf } from './samples.ts';

/** The guides for a terminal, with the files that they leave and the text that they print. */
const GUIDES: Readonly<Record<string, Pick<Run, 'made' | 'outcomes'>>> = {
  'view-a-car': {
    made: ['alice.car'],
    outcomes: {
      'view.mjs': (printed) => {
        expect(printed).toMatch(/^valid: true, 4 records, signature: unchecked\n/);
        expect(printed).toMatch(/^app\.bsky\.feed\.post 3$/m);
        expect(printed).toMatch(/^\w{13} Three\n\w{13} Two\n$/m);
      },
    },
  },
  'back-up-and-restore': {
    made: ['alice/pds.db', 'backups/alice/manifest.json', 'alice-again/pds.db', 'alice-restored/pds.db'],
    outcomes: {
      'back-up.mjs': (printed, round) => {
        const [, saved, restored] = /^saved (.*)\nrestored (.*)\n$/.exec(printed) ?? [];
        expect(saved).toMatch(new RegExp(`^${round} records at \\w{13}$`));
        expect(restored).toBe(saved);
      },
    },
  },
  'follow-a-repository': {
    made: ['host/pds.db', 'copy/pds.db'],
    outcomes: {
      'follow.mjs': (printed) => {
        expect(printed).toBe('delete first\ncreate second\napplied\nignored\ndesynchronized\nsame head: true\n');
      },
    },
  },
  'history-and-proofs': {
    made: ['alice/pds.db', 'proof.car'],
    outcomes: {
      'prove.mjs': (printed) => {
        expect(printed).toBe('then: old\nrestored: old\npresent\nabsent\n');
      },
    },
  },
  'records-as-files': {
    made: ['alice-files/_commit.json', 'by-command/com.example.note/first.json', 'alice.car'],
    outcomes: {
      'edit-files.mjs': (printed) => {
        expect(printed).toBe('unpacked 1 record\nsame commit: true\nupdated 1 record: Hello\n');
      },
    },
  },
  'verify-and-repair': {
    made: ['alice/pds.db'],
    outcomes: {
      'repair.mjs': (printed) => {
        expect(printed).toMatch(
          /^before: true\nfault: Corrupt .*\nplanned: 1\nstep: .*\nlost: blob bafk.*\nafter: true\n$/,
        );
      },
    },
  },
  keys: {
    made: ['alice.key', 'own.key', 'own/pds.db'],
    outcomes: {
      'keys.mjs': (printed) => {
        expect(printed).toMatch(/^public key: did:key:zQ3sh\w+\nsignature: valid\nrefused: InvalidSigner\n/);
        expect(printed).toMatch(/\nold key: invalid\nnew key: valid\n$/);
      },
    },
  },
};

/** The guides whose programs are pages. */
const PAGES = ['bundlers', 'keep-an-account-in-a-browser', 'several-tabs'];

/** test/postgres runs its program. */
const WITH_POSTGRES = ['keep-many-accounts-in-postgres'];

/** The guides that need a PDS: test/network runs their program, or makes the same calls. */
const WITH_PDS = ['import-from-a-pds', 'keep-a-copy', 'migrate', 'write-offline'];

/** The guides that need an S3 server: test/s3 runs their program. */
const WITH_S3 = ['keep-blobs-in-s3'];

test('every guide has a test', () => {
  const guides = filesBelow('docs/guides').map((path) => path.replace(/^docs\/guides\/|\.md$/g, ''));
  expect(guides).toEqual([...Object.keys(GUIDES), ...PAGES, ...WITH_PDS, ...WITH_POSTGRES, ...WITH_S3].sort());
});

let built: string;
beforeAll(async () => {
  built = await buildPackage('guides');
});

describe.each(Object.entries(GUIDES))('docs/guides/%s.md', (name, guide) => {
  // The samples of the README run with npx.
  const samples = samplesOf(textOf(`docs/guides/${name}.md`));
  runTwice({ built: () => built, samples, isNpxShort: true, ...guide });
});
