/** Serves a built app with a strict content security policy. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { extname, join, normalize } from 'node:path';

/** The strictest policy for a page with a database. */
export const CSP = "script-src 'self' 'wasm-unsafe-eval'";

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css',
  '.html': 'text/html',
  '.js': 'text/javascript',
  '.svg': 'image/svg+xml',
  '.wasm': 'application/wasm',
};

export interface App {
  readonly url: string;
  /** The largest number of visits until the app works. Default: 1. */
  readonly visits?: number;
  close(): Promise<void>;
}

export interface ServeOptions {
  /** Its hash allows an import map, which cannot be a separate file. */
  readonly csp?: string | undefined;
  /** Serves the page for every missing file. */
  readonly isFallingBack?: boolean | undefined;
}

/** Serves the files of a folder, each with the policy. */
export const serveFolder = async (
  folder: string,
  { csp = CSP, isFallingBack = false }: ServeOptions = {},
): Promise<App> => {
  const server = createServer(async ({ url }, response) => {
    const path = normalize(new URL(url!, 'http://localhost').pathname);
    const asked = join(folder, path === '/' ? 'index.html' : path);
    const file = isFallingBack && !existsSync(asked) ? join(folder, 'index.html') : asked;
    try {
      const body = await readFile(file);
      response
        .writeHead(200, {
          'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
          'content-security-policy': csp,
        })
        .end(body);
    } catch {
      // The browser reports the missing file.
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};
