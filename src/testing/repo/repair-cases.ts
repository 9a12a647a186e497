/**
 * Test cases of every repository: repairs and backups of a valid repository. Damaged repositories have separate tests.
 */
import { bytesToHex } from '@noble/hashes/utils.js';
import type { BackupFile } from '../../core/storage/backup-file.ts';
import { decodeManifest } from '../../core/repo/transfer/backup-manifest.ts';
import type { Bytes } from '../../core/data/bytes.ts';
import { equalBytes } from '../../core/data/bytes.ts';
import type { Repo } from '../../core/repo/repo.ts';
import { sha256 } from '../../core/data/sha256.ts';
import type { Case } from '../case.ts';
import { assert, assertEqual, assertRejects, rejectionOf, skip } from '../case.ts';
import type { RepoHarness } from './harness.ts';
import { AT_ONCE, KEY, OTHER_KEY, POST, creates, describe, over, post, rkeyOf } from './harness.ts';
import { errorName } from '../../core/data/platform-values.ts';
import { readAll } from '../../core/data/streams.ts';

/** Returns the files of a backup, each read to its end. */
const filesOf = async (
  files: AsyncIterable<BackupFile>,
  meanwhile?: () => Promise<unknown>,
): Promise<Map<string, Bytes>> => {
  const read = new Map<string, Bytes>();
  for await (const { path, content } of files) {
    await meanwhile?.();
    const bytes = await readAll(content.stream());
    assertEqual(bytes.length, content.size, `the size of ${path}`);
    read.set(path, bytes);
  }
  return read;
};

const needsFiles = (harness: RepoHarness): void => {
  if (harness.noFiles === true) {
    skip('the storage has no files');
  }
};

const filled = async (repo: Repo): Promise<void> => {
  const image = await repo.putBlob(new Uint8Array(100_000).fill(7), { mimeType: 'image/png' });
  await repo.write(creates(40));
  await repo.put(POST, rkeyOf(99), { ...post('with an image'), image });
};

export const repoRepairCases: readonly Case<RepoHarness>[] = [
  over('verify returns counts, and verifies the signature only with a key', async (repo) => {
    await filled(repo);
    const { blocks } = await repo.info();
    const found = await repo.verify();
    assertEqual([found.ok, found.faults.length, found.faultCount], [true, 0, 0], 'the faults');
    assertEqual(
      [found.signature, found.records, found.blocks, found.blobs],
      ['unchecked', 41, blocks, 1],
      'without a key',
    );
    assertEqual((await repo.verify({ key: KEY.did!() })).signature, 'valid', 'with the key of the signer');
    const other = await repo.verify({ key: OTHER_KEY.did!() });
    assertEqual([other.ok, other.signature, other.faultCount], [false, 'invalid', 1], 'with another key');
  }),

  over('a repair of a valid repository does nothing and reports that, also before the first commit', async (repo) => {
    const { head: none, ...nothing } = await repo.repair();
    assertEqual(
      [none, nothing.whole, nothing.steps.length, nothing.lost.length],
      [undefined, true, 0, 0],
      'before the first commit',
    );
    await filled(repo);
    const before = await describe(repo);
    for (const dryRun of [true, false]) {
      const report = await repo.repair({ dryRun });
      assertEqual(
        [report.whole, report.dryRun, report.steps.length, report.lost.length],
        [true, dryRun, 0, 0],
        'the report',
      );
      assertEqual(String(report.head), String((await repo.head())?.cid), 'the head of the report');
    }
    assertEqual(await describe(repo), before, 'the repository');
  }),

  over('a repair keeps history, refs and deleted records', async (repo) => {
    const { rev } = await repo.write(creates(10));
    await repo.setRef('before', rev);
    await repo.delete(POST, rkeyOf(3));
    await repo.gc({ ...AT_ONCE, keep: 1 });
    const before = await describe(repo);
    assertEqual((await repo.repair()).steps.length, 0, 'steps');
    assertEqual(await describe(repo), before, 'the repository');
    const old = await repo.checkout('before');
    assert((await old.get(POST, rkeyOf(3))) !== undefined, 'the deleted record is in the old state');
  }),

  over('the last file of a backup is a manifest with the size and hash of each file', async (repo, harness) => {
    needsFiles(harness);
    await filled(repo);
    const files = await filesOf(repo.backup());
    const paths = [...files.keys()];
    assertEqual(paths.at(-1), 'manifest.json', 'the last file');
    const manifest = decodeManifest(files.get('manifest.json')!);
    assertEqual([...manifest.files.keys()], paths.slice(0, -1), 'the files that the manifest names');
    for (const [path, { size, sha256: hash }] of manifest.files) {
      assertEqual([size, hash], [files.get(path)!.length, bytesToHex(sha256(files.get(path)!))], path);
    }
    const head = await repo.head();
    assertEqual(
      [manifest.did, manifest.head, manifest.rev],
      [repo.did, String(head?.cid), head?.rev],
      'whose and what it is',
    );
    assertEqual([manifest.counts.records, manifest.counts.blobs, manifest.counts.commits], [41, 1, 2], 'counts');
  }),

  over('a backup has one state during writes', async (repo, harness) => {
    needsFiles(harness);
    await filled(repo);
    const before = await filesOf(repo.backup());
    const { head } = decodeManifest(before.get('manifest.json')!);
    let count = 0;
    const during = await filesOf(repo.backup(), () => repo.write(creates(20, 1000 + 20 * count++)));
    assertEqual(decodeManifest(during.get('manifest.json')!).head, head, 'the head');
    assert(equalBytes(before.get('pds.db')!, during.get('pds.db')!), 'the database is the same to the byte');
    assert((await repo.verify()).ok, 'the repository is sound');
    const after = decodeManifest((await filesOf(repo.backup())).get('manifest.json')!);
    assertEqual(after.head, String((await repo.head())?.cid), 'the next backup has what was written');
  }),

  over('one backup at a time; after an aborted one the next one can begin', async (repo, harness) => {
    needsFiles(harness);
    await filled(repo);
    for await (const _ of repo.backup()) {
      await assertRejects(() => filesOf(repo.backup()), 'Locked', 'a second one');
      break;
    }
    assert((await filesOf(repo.backup())).has('manifest.json'), 'the next one');
  }),

  over('a skipped file of a backup is an error', async (repo, harness) => {
    needsFiles(harness);
    await filled(repo);
    const error = await rejectionOf(async () => {
      for await (const _ of repo.backup()) {
        // Nothing is read.
      }
    }, 'an unread backup');
    assert(errorName(error) === 'TypeError', 'a TypeError');
  }),

  over('without files a backup is refused', async (repo, harness) => {
    if (harness.noFiles !== true) {
      skip('the storage has files');
    }
    await assertRejects(() => filesOf(repo.backup()), 'StorageFailed', 'backup');
  }),
];
