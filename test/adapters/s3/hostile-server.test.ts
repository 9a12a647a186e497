/** Servers that are not S3, or want to harm: a real HTTP server sends each response. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { openS3Blobs, s3Blobs } from '../../../src/adapters/s3/open-blobs.ts';
import { MAX_XML_ELEMENTS, MAX_XML_SIZE } from '../../../src/adapters/s3/xml.ts';
import { CODEC_RAW, cidOf, cidToText } from '../../../src/core/data/cid.ts';
import { listOf } from '../../../src/core/data/list-of.ts';
import { bytesOf } from '../../../src/testing/storage/blob-store-harness.ts';

const DID = 'did:web:alice.example';
const bytes = bytesOf(1000);
const cid = cidOf(CODEC_RAW, bytes);

let servers: Server[] = [];
afterEach(() => {
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  servers = [];
});

type Respond = (request: IncomingMessage, response: ServerResponse, count: number) => void;

/** Starts a server. Returns options for it, and the requests that it got. */
const serve = async (respond: Respond) => {
  const requests: string[] = [];
  const server = createServer((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    request.resume();
    request.once('end', () => respond(request, response, requests.length));
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = {
    endpoint,
    region: 'us-east-1',
    bucket: 'bucket',
    accessKeyId: 'key',
    secretAccessKey: 'secret',
    timeoutMs: 300,
    retries: 1,
    partSize: 300,
  };
  return { options, requests, store: s3Blobs(options)(DID) };
};

const failure = (words: RegExp, code = 'StorageFailed'): object =>
  expect.objectContaining({ name: 'RepoError', code, message: expect.stringMatching(words) });

const listing = (inner: string): string => `<ListBucketResult>${inner}</ListBucketResult>`;
const entry = (key: string, size = '1'): string => `<Contents><Key>${key}</Key><Size>${size}</Size></Contents>`;
const error = (code: string): string => `<Error><Code>${code}</Code><Message>x</Message></Error>`;
const name = cidToText(cid);
const key = (last: string): string => `${DID}/${name.slice(0, -1)}${last}`;

describe('a list', () => {
  test.each([
    ['of a page', '<html><body>Hello</body></html>', /not a list/],
    ['that is no XML', 'Hello', /XML is not valid/],
    ['that ends early', listing(entry(key('a'))).slice(0, -5), /XML is not valid/],
    ['of other keys', listing(entry('other')), /another order/],
    ['of keys that descend', listing(entry(key('b')) + entry(key('a'))), /another order/],
    ['of the same key', listing(entry(key('b')) + entry(key('b'))), /another order/],
    ['with a negative size', listing(entry(key('b'), '-1')), /without sizes/],
    ['with a large size', listing(entry(key('b'), '1e300')), /without sizes/],
    ['without an end', listing('<IsTruncated>true</IsTruncated>'), /empty page/],
    ['with a document type', `<!DOCTYPE a>${listing('')}`, /document type/],
    ['of many elements', listing('<a/>'.repeat(MAX_XML_ELEMENTS)), /more than 65536 elements/],
    ['of many bytes', listing(' '.repeat(MAX_XML_SIZE)), /more than 8388608 bytes/],
  ])('%s is refused', async (_, body, words) => {
    const { store } = await serve((_request, response) => response.end(body));
    await expect(listOf(store.list())).rejects.toEqual(failure(words));
  });

  test('that repeats its page is refused', async () => {
    const body = listing(`${entry(key('a'))}<IsTruncated>true</IsTruncated>`);
    const { store, requests } = await serve((_request, response) => response.end(body));
    await expect(listOf(store.list())).rejects.toEqual(failure(/another order/));
    expect(requests.length).toBe(2);
  });

  test('of uploads that repeats its page is refused', async () => {
    const body = `<ListMultipartUploadsResult><NextKeyMarker>a</NextKeyMarker><IsTruncated>true</IsTruncated></ListMultipartUploadsResult>`;
    const { store, requests } = await serve((_request, response) => response.end(body));
    await expect(store.sweep()).rejects.toEqual(failure(/another order/));
    expect(requests.length).toBe(2);
  });

  test('of uploads of other programs leaves them', async () => {
    const upload =
      '<Upload><Key>other/a</Key><UploadId>1</UploadId><Initiated>2020-01-01T00:00:00Z</Initiated></Upload>';
    const { store, requests } = await serve((request, response) =>
      response.end(
        request.url!.includes('uploads=')
          ? `<ListMultipartUploadsResult>${upload}</ListMultipartUploadsResult>`
          : listing(''),
      ),
    );
    expect(await store.sweep({ olderThanMs: 0 })).toEqual({ uploads: 0, objects: 0 });
    expect(requests.filter((line) => !line.startsWith('GET'))).toEqual([]);
  });
});

describe('a blob', () => {
  /** Serves a blob by one handler for ranges. */
  const serveBlob = (get: Respond) =>
    serve((request, response, count) => {
      if (request.method === 'HEAD') {
        response.setHeader('content-length', bytes.length).end();
      } else {
        get(request, response, count);
      }
    });
  const partial = (response: ServerResponse, start = 0, total = bytes.length): ServerResponse =>
    response.writeHead(206, { 'content-range': `bytes ${start}-${bytes.length - 1}/${total}` });

  test('of a server without ranges is read whole', async () => {
    const { store } = await serveBlob((_request, response) => response.end(bytes));
    const blob = (await store.get(cid))!;
    expect(new Uint8Array(await blob.arrayBuffer())).toEqual(bytes);
    await expect(blob.slice(1).arrayBuffer()).rejects.toEqual(failure(/another range than bytes 1-999\/1000/));
  });

  test.each<[string, Respond, RegExp]>([
    ['without bytes', (_request, response) => partial(response).end(), /ended early/],
    [
      'with too many bytes',
      (_request, response) => partial(response).end(Buffer.concat([bytes, bytes])),
      /more than 1000/,
    ],
    ['of another size', (_request, response) => partial(response, 0, 1001).end(bytes), /another range/],
    ['of another range', (_request, response) => partial(response, 1).end(bytes), /another range/],
    ['without a byte in time', (_request, response) => partial(response).flushHeaders(), /no response in time/],
    ['without a response', () => undefined, /no response in time.*timeoutMs=300/],
    ['whose connection breaks', (request) => void request.socket.destroy(), /check the connection/],
  ])('%s is refused', async (_, get, words) => {
    const { store } = await serveBlob(get);
    await expect((await store.get(cid))!.arrayBuffer()).rejects.toEqual(failure(words));
  });

  test('is continued after each interruption that had bytes', async () => {
    const { store, requests } = await serveBlob((request, response) => {
      const start = Number(/bytes=(\d+)/.exec(request.headers.range!)![1]);
      partial(response, start).write(bytes.subarray(start, start + 250), () => request.socket.destroy());
    });
    expect(new Uint8Array(await (await store.get(cid))!.arrayBuffer())).toEqual(bytes);
    expect(requests.length).toBe(5);
  });

  test('without a size is refused', async () => {
    const { store } = await serve((_request, response) =>
      response.writeHead(200, { 'transfer-encoding': 'chunked' }).end(),
    );
    await expect(store.get(cid)).rejects.toEqual(failure(/no header content-length/));
  });
});

describe('a request', () => {
  test.each<[string, number, string, RegExp, number, string?]>([
    ['that the server has no time for', 503, error('SlowDown'), /try again later.* status=503 code=SlowDown/, 2],
    ['with too many others', 429, '', /try again later.* status=429/, 2],
    ['whose bytes were damaged', 400, error('XAmzContentSHA256Mismatch'), /code=XAmzContentSHA256Mismatch/, 2],
    ['that fails after its response began', 200, error('InternalError'), /status=200 code=InternalError/, 2],
    ['that is forbidden', 403, error('AccessDenied'), /policies of the key and the bucket.* code=AccessDenied/, 1],
    ['that a proxy refuses', 403, '<html>no</html>', /check that the policies.*, and check the keys; status=403$/, 1],
    ['with an odd code', 400, error('a\n\u001b[31m'), /check the endpoint and the keys; status=400$/, 1],
    ['to another region', 301, error('PermanentRedirect'), /check the endpoint and the region/, 1],
    ['that is redirected', 307, '', /the server redirects.* status=307/, 1],
    ['without space', 507, error('XMinioStorageFull'), /no space is left/, 1, 'StorageFull'],
    ['above the quota', 403, error('QuotaExceeded'), /no space is left/, 1, 'StorageFull'],
  ])('%s', async (_, status, body, words, attempts, code) => {
    const { options, requests } = await serve((_request, response) =>
      response.writeHead(status, { location: '/other' }).end(body),
    );
    await expect(openS3Blobs(options)).rejects.toEqual(failure(words, code));
    expect(requests.length).toBe(attempts);
  });

  test('an abort ends the wait for a response, and the wait before a retry', async () => {
    const { options } = await serve(
      (request, response) => void (request.url!.includes('503') && response.writeHead(503).end()),
    );
    for (const endpoint of [options.endpoint, `${options.endpoint}/503`]) {
      const reason = new Error('enough');
      const store = s3Blobs({ ...options, endpoint, timeoutMs: 60_000, retries: 50 })(DID);
      const abort = new AbortController();
      setTimeout(() => abort.abort(reason), 100);
      await expect(store.put(new Uint8Array(10), { signal: abort.signal })).rejects.toBe(reason);
    }
  });

  test('a lost response to the end of an upload is found by the size of the object', async () => {
    let completed = 0;
    const { store, requests } = await serve((request, response) => {
      if (request.method === 'POST' && request.url!.includes('uploads=')) {
        response.end('<A><UploadId>1</UploadId></A>');
      } else if (request.method === 'POST') {
        completed++;
        completed === 1 ? request.socket.destroy() : response.writeHead(404).end(error('NoSuchUpload'));
      } else if (request.method === 'HEAD') {
        response.setHeader('content-length', bytes.length).end();
      } else {
        response.setHeader('etag', '"a&b"').end();
      }
    });
    expect((await store.put(bytes)).size).toBe(1000);
    expect(completed).toBe(2);
    expect(requests.at(-2)).toMatch(/^PUT .*bafkrei/);
    expect(requests.at(-1)).toMatch(/^DELETE \/bucket\/tmp\//);
  });

  test('an upload without an id, or parts without a tag, are refused', async () => {
    const first = await serve((_request, response) => response.end());
    await expect(first.store.put(bytes)).rejects.toEqual(failure(/no UploadId/));
    const second = await serve((_request, response) => response.end('<A><UploadId>1</UploadId></A>'));
    await expect(second.store.put(bytes)).rejects.toEqual(failure(/no header etag/));
    expect(second.requests.filter((line) => line.startsWith('DELETE')).length).toBe(2);
  });

  test('more parts than S3 permits are LimitExceeded', async () => {
    const { options, requests } = await serve((_request, response) => response.end('<A><UploadId>1</UploadId></A>'));
    const store = s3Blobs({ ...options, partSize: 1 })(DID);
    await expect(store.put(new Uint8Array(10_001))).rejects.toEqual(failure(/limit=10000/, 'LimitExceeded'));
    expect(requests).toEqual([]);
  });
});
