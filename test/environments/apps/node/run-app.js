// Creates a repository in the given folder, writes a record, closes, opens, and reads the record back.
import { createRepo, openRepo } from 'pdsdb/node';

const run = async (options) => {
  const folder = process.argv[2];
  const repo = await createRepo(folder, { did: 'did:web:app.example', ...options });
  await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: '2024-01-02T03:04:05.678Z' });
  await repo.putBlob(new Blob(['a blob'], { type: 'text/plain' }));
  await repo.close();
  const again = await openRepo(folder, options);
  const { value } = await again.get('app.bsky.feed.post', '3jzfcijpj2z2a');
  await again.close();
  console.log(value.text);
};

export const runApp = (options) =>
  run(options).catch((error) => {
    console.log(`${error.name} ${error.code}: ${error.message}`);
    process.exitCode = 1;
  });
