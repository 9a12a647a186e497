// Creates a repository in the browser, writes a record, closes, opens, and reads the record back.
import { createRepo, openRepo } from 'pdsdb/browser';

const run = async () => {
  const worker = () => new Worker(new URL('./repo-worker.js', import.meta.url), { type: 'module' });
  const repo = await createRepo('app', { did: 'did:web:app.example', worker });
  await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: '2024-01-02T03:04:05.678Z' });
  await repo.close();
  const again = await openRepo('app', { worker });
  const { value } = await again.get('app.bsky.feed.post', '3jzfcijpj2z2a');
  await again.close();
  return value.text;
};

globalThis.outcome = run();
