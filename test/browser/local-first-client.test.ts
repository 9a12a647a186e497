/** The build of the notes for a published address, which makes it an OAuth client. */
import { execFile } from 'node:child_process';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { scratchFolder } from '../adapters/scratch.ts';
import { buildPackage } from '../built-package.ts';
import { root } from '../house/sources.ts';

const URL_OF_SITE = 'https://notes.example.com/app/';
const outDir = scratchFolder('notes-client');

test('a build with VITE_NOTES_URL has the metadata that servers read', { timeout: 120_000 }, async () => {
  const folder = await buildPackage('example-notes-client');
  await cp(join(root, 'examples'), join(folder, 'examples'), { recursive: true });
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const args = [vite, 'build', join(folder, 'examples', 'local-first'), '--outDir', outDir, '--logLevel', 'error'];
  const env = { ...process.env, NODE_ENV: 'production', VITE_NOTES_URL: URL_OF_SITE };
  await promisify(execFile)(process.execPath, args, { env });
  const clientId = `${URL_OF_SITE}oauth-client-metadata.json`;
  expect(JSON.parse(await readFile(join(outDir, 'oauth-client-metadata.json'), 'utf8'))).toEqual({
    client_id: clientId,
    client_name: 'Notes',
    client_uri: URL_OF_SITE,
    redirect_uris: [URL_OF_SITE],
    scope: 'atproto transition:generic',
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    application_type: 'web',
    dpop_bound_access_tokens: true,
  });
  const scripts = (await readdir(join(outDir, 'assets'))).filter((name) => name.endsWith('.js'));
  const texts = await Promise.all(scripts.map((name) => readFile(join(outDir, 'assets', name), 'utf8')));
  expect(texts.some((text) => text.includes(URL_OF_SITE))).toBe(true);
  expect(await readFile(join(outDir, 'service-worker.js'), 'utf8')).toContain('./oauth-client-metadata.json');
});
