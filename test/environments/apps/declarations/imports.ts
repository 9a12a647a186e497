// Every entry point, as an application imports it.
import { type Repo, type RepoErrorCode, isRepoError } from 'pdsdb';
import * as browser from 'pdsdb/browser';
import * as deno from 'pdsdb/deno';
import * as node from 'pdsdb/node';
import * as testing from 'pdsdb/testing';
import * as worker from 'pdsdb/worker';

export const code: RepoErrorCode = 'Unsupported';
export const repo: Promise<Repo> = node.openRepo('alice', { wasm: new Uint8Array() });
export const entryPoints = [browser, deno, node, testing, worker, isRepoError];

// Records that an application declares type its reads.
declare module 'pdsdb' {
  interface Records {
    'com.example.note': { readonly $type: 'com.example.note'; readonly text: string };
  }
}
export const textOf = async (from: Repo, rkey: string): Promise<string | undefined> =>
  (await from.getJson('com.example.note', rkey))?.value.text;
