// Runs in Jest and in vitest, with their globals.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRepo, openRepo } from 'pdsdb/node';

test('a repository is created, written, closed, opened and read', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pdsdb-jest-'));
  const repo = await createRepo(join(folder, 'repo'), { did: 'did:web:app.example' });
  await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: '2024-01-02T03:04:05.678Z' });
  const { ref } = await repo.putBlob(new Blob(['a blob'], { type: 'text/plain' }));
  await repo.putBlob(new TextEncoder().encode('bytes'));
  await repo.close();
  const again = await openRepo(join(folder, 'repo'));
  expect((await again.get('app.bsky.feed.post', '3jzfcijpj2z2a')).value.text).toBe('hello');
  expect(await (await again.getBlob(ref)).text()).toBe('a blob');
  expect(await again.verify()).toMatchObject({ ok: true });
  await again.close();
  await rm(folder, { recursive: true });
});

test('a missing folder is RepoNotFound', async () => {
  await expect(openRepo('/nowhere/at/all')).rejects.toMatchObject({ name: 'RepoError', code: 'RepoNotFound' });
});
