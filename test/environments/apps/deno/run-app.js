// Creates a repository in the folder that is named, writes a record, closes, opens, and reads the record back.
import { createRepo, openRepo } from 'pdsdb/deno';

const [folder] = Deno.args;
const repo = await createRepo(folder, { did: 'did:web:app.example' });
await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: '2024-01-02T03:04:05.678Z' });
await repo.close();
const again = await openRepo(folder);
const { value } = await again.get('app.bsky.feed.post', '3jzfcijpj2z2a');
await again.close();
console.log(value.text);
