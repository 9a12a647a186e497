// Makes its worker from a `blob:` URL, as some bundlers and embedders do. The address says which script it is.
import { createRepo } from 'pdsdb/browser';

const run = async () => {
  const script = await (await fetch(new URLSearchParams(location.search).get('script'))).blob();
  const url = URL.createObjectURL(script.slice(0, script.size, 'text/javascript'));
  const worker = () => new Worker(url, { type: 'module' });
  const repo = await createRepo('app', { did: 'did:web:app.example', worker });
  await repo.put('app.bsky.feed.post', '3jzfcijpj2z2a', { text: 'hello', createdAt: '2024-01-02T03:04:05.678Z' });
  const { value } = await repo.get('app.bsky.feed.post', '3jzfcijpj2z2a');
  await repo.close();
  return value.text;
};

globalThis.outcome = run();
