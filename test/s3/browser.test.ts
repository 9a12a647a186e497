/** Blobs on a real S3 server from a page of another origin, in Chromium. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { blobStoreCases } from '../../src/testing/storage/blob-store-cases.ts';
import { drivenOf, isMissing } from '../browser/browsers.ts';
import { serveFolder } from '../browser/serve-folder.ts';
import { useBrowserWith } from '../browser/use-browser.ts';
import { root, textOf } from '../house/sources.ts';
import { newBucketName } from './bucket.ts';
import { lacksS3, server, why } from './s3-server.ts';

interface CorsRule {
  readonly AllowedMethods: readonly string[];
  readonly AllowedHeaders: readonly string[];
  readonly ExposeHeaders: readonly string[];
}

/** Makes a bucket with the CORS rules of the guide, for this origin. */
const makeSharedBucket = async (origin: string): Promise<string> => {
  const bucket = newBucketName();
  const client = new AwsClient({ ...server, service: 's3', retries: 0 });
  const blocks = [...textOf('docs/guides/keep-blobs-in-s3.md').matchAll(/^```json\n([\s\S]*?)^```$/gm)];
  const [rule] = JSON.parse(blocks.at(-1)![1]!) as CorsRule[];
  const tags = (name: string, values: readonly string[]): string =>
    values.map((value) => `<${name}>${value}</${name}>`).join('');
  const { AllowedMethods, AllowedHeaders, ExposeHeaders } = rule!;
  const inner = [
    tags('AllowedOrigin', [origin]),
    tags('AllowedMethod', AllowedMethods),
    tags('AllowedHeader', AllowedHeaders),
    tags('ExposeHeader', ExposeHeaders),
  ].join('');
  const body = `<CORSConfiguration><CORSRule>${inner}</CORSRule></CORSConfiguration>`;
  const headers = { 'content-md5': createHash('md5').update(body).digest('base64') };
  for (const [path, init] of [
    ['', { method: 'PUT' }],
    ['?cors=', { method: 'PUT', body, headers }],
  ] as const) {
    const response = await client.fetch(`${server.endpoint}/${bucket}${path}`, init);
    expect(response.status, await response.text()).toBe(200);
  }
  return bucket;
};

describe.skipIf(lacksS3 || isMissing('chromium'))(`a page in Chromium (needs chromium)${why}`, () => {
  const browser = useBrowserWith('chromium', drivenOf);

  test('passes the cases for blob stores, with the CORS rules of the guide', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'pdsdb-s3-page-'));
    await build({
      entryPoints: [join(root, 'test/s3/page.ts')],
      outfile: join(folder, 'page.js'),
      bundle: true,
      platform: 'browser',
      format: 'esm',
      target: 'es2022',
      logLevel: 'warning',
    });
    await writeFile(join(folder, 'index.html'), '<!doctype html><script type="module" src="page.js"></script>');
    const app = await serveFolder(folder);
    try {
      const bucket = await makeSharedBucket(new URL(app.url).origin);
      const page = await browser().newPage();
      await page.goto(`${app.url}#${encodeURIComponent(JSON.stringify({ server, bucket }))}`);
      await page.waitForFunction('globalThis.lines !== undefined', { polling: 200, timeout: 90_000 });
      const lines = (await page.evaluate('globalThis.lines')) as string[];
      expect(lines.filter((line) => line.startsWith('not ok'))).toEqual([]);
      expect(lines.length).toBe(blobStoreCases.length);
      expect(lines.filter((line) => line.startsWith('ok')).length).toBeGreaterThan(30);
      await page.close();
    } finally {
      await app.close();
      await rm(folder, { recursive: true, force: true });
    }
  });
});
