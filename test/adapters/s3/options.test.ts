import { expect, test } from 'vitest';
import { keyPath, s3Place } from '../../../src/adapters/s3/options.ts';
import { openS3Blobs, s3Blobs } from '../../../src/s3.ts';

const options = {
  endpoint: 'https://s3.example.com',
  region: 'eu-central-1',
  bucket: 'photos',
  accessKeyId: 'key',
  secretAccessKey: 'secret',
};

test('the bucket is added to the path of the endpoint', () => {
  expect(s3Place(options).url).toBe('https://s3.example.com/photos');
  expect(s3Place({ ...options, endpoint: 'http://localhost:9000/s3/' }).url).toBe('http://localhost:9000/s3/photos');
  expect(keyPath("a b/ä+?#%/'")).toBe("a%20b/%C3%A4%2B%3F%23%25/'");
});

test.each([
  ['endpoint', 's3.example.com'],
  ['endpoint', 'ftp://s3.example.com'],
  ['endpoint', 'https://key:secret@s3.example.com'],
  ['endpoint', 'https://s3.example.com/?a'],
  ['region', ''],
  ['region', 'eu central'],
  ['bucket', undefined],
  ['bucket', 'a/b'],
  ['bucket', '..'],
  ['prefix', 'blobs'],
  ['prefix', '/blobs/'],
  ['prefix', 'a//'],
  ['prefix', 'a/../'],
  ['prefix', './'],
  ['prefix', 'a\n/'],
  ['prefix', '\ud800/'],
  ['accessKeyId', 'key '],
  ['secretAccessKey', 'secret\n'],
  ['sessionToken', ''],
  ['partSize', 0],
  ['partSize', 1.5],
  ['timeoutMs', 0],
  ['timeoutMs', 2 ** 31],
  ['retries', -1],
])('the option %s cannot be %j', async (name, value) => {
  const wrong = { ...options, [name]: value };
  expect(() => s3Blobs(wrong)).toThrow(TypeError);
  await expect(openS3Blobs(wrong)).rejects.toThrow(new RegExp(name));
});

test('a message about a wrong key does not contain it', () => {
  expect(() => s3Blobs({ ...options, secretAccessKey: 'my secret' })).toThrow(/^(?!.*my secret)/);
});

test('a request has the headers of its signature', async () => {
  // The example of a page: only what every platform has. The request goes nowhere.
  let sent: { url: string; init: RequestInit } | undefined;
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    sent = { url, init };
    return new Response(null, { status: 200 });
  };
  await s3Blobs({ ...options, sessionToken: 'token', fetch })('did:web:alice.example').put(new Uint8Array(0));
  expect(sent?.url).toMatch(/^https:\/\/s3\.example\.com\/photos\/did%3Aweb%3Aalice\.example\/bafkrei\w{52}$/);
  const headers = new Headers(sent?.init.headers);
  expect(headers.get('authorization')).toMatch(
    /^AWS4-HMAC-SHA256 Credential=key\/\d{8}\/eu-central-1\/s3\/aws4_request/,
  );
  expect(headers.get('x-amz-security-token')).toBe('token');
  expect(headers.get('x-amz-content-sha256')).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  // A browser does not send these headers for a program, and the signature would not fit.
  expect([...headers.keys()].filter((name) => /^(host|content-length|connection|date)$/.test(name))).toEqual([]);
});
