/** The part of a repair for blobs: files that do not match the blob of their name. */
import type { CID } from '../../data/cid.ts';
import { cidToText, decodeCid } from '../../data/cid.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import { walkLeaves } from '../../mst/walk.ts';
import type { ReadParts } from '../open-parts.ts';
import { mentionsOf } from '../read/blob-mentions.ts';
import { isBlobIntact } from '../read/blobs.ts';
import type { Plan } from './repair-plan.ts';
import { plan, query } from './repair-plan.ts';
import type { ChosenHead } from './repair-search.ts';
import { pastDamage } from './survey.ts';

/** Returns blobs whose bytes do not match, and other entries at the paths of blobs. */
const findBadBlobs = async (
  parts: ReadParts,
  signal: AbortSignal | undefined,
): Promise<Map<string, { cid: CID; message: string }>> => {
  const { blobs } = parts;
  const bad = new Map<string, { cid: CID; message: string }>();
  for await (const { cid, size } of blobs.list()) {
    signal?.throwIfAborted();
    const blob = await blobs.get(cid);
    if (blob !== undefined && !(await isBlobIntact(parts, cid, blob))) {
      bad.set(cidToText(cid), {
        cid,
        message: `removed a file that does not match the blob of its name; cid=${cidToText(cid)} size=${size}`,
      });
    }
  }
  for await (const { cid, message } of blobs.invalidEntries?.() ?? []) {
    bad.set(cidToText(cid), { cid, message: `removed an entry at the path of a blob: ${message}` });
  }
  return bad;
};

/** Returns the first record of the head that mentions each wanted blob. */
const pathsOfMentions = async (
  parts: ReadParts,
  head: ChosenHead,
  wanted: ReadonlyMap<string, unknown>,
): Promise<Map<string, string>> => {
  const paths = new Map<string, string>();
  if (wanted.size === 0 || head.gaps.nodes.count > 0) {
    return paths;
  }
  const blocks = pastDamage(parts.store);
  for await (const batch of walkLeaves(parts.nodes, head.commit.data)) {
    const cids = batch.map(({ value }) => decodeCid(value));
    for (const [i, bytes] of (await blocks.getMany(cids)).entries()) {
      const path = batch[i]!.key;
      for (const { cid } of bytes === undefined ? [] : mentionsOf(path, cids[i]!, bytes)) {
        const text = cidToText(cid);
        if (wanted.has(text) && !paths.has(text)) {
          paths.set(text, path);
        }
      }
    }
  }
  return paths;
};

/** Plans the removal of each file that does not match the blob of its name. */
export const planBlobs = async (parts: ReadParts, planned: Plan, signal: AbortSignal | undefined): Promise<void> => {
  const { lost, head, badBlobs } = planned;
  const bad = await findBadBlobs(parts, signal);
  const paths = head === undefined ? new Map<string, string>() : await pathsOfMentions(parts, head, bad);
  for (const [text, { cid, message }] of bad) {
    plan(planned, 'dropBlob', message, { cid });
    badBlobs.push(cid);
    const path = paths.get(text);
    const what = path === undefined ? 'no readable record of the head mentions it;' : `path=${path}`;
    planned.lacksBlob ||= path !== undefined;
    lost.add({
      kind: 'blob',
      message: `a blob is missing: request it from the account's host; ${what} cid=${text}`,
      cid,
      path,
      request: `/xrpc/com.atproto.sync.getBlob${query(parts.did, 'cid', cid)}`,
    });
  }
};

/** Removes blobs. Rejects at the first one that cannot be removed, and names it. */
export const removeBlobs = async ({ blobs }: ReadParts, cids: readonly CID[]): Promise<void> => {
  for (const cid of cids) {
    try {
      await blobs.delete([cid]);
    } catch (cause) {
      throw new RepoError(
        isRepoError(cause) ? cause.code : 'StorageFailed',
        `the repair could not remove an entry at the path of a blob: remove it by hand; cid=${cidToText(cid)}`,
        { cause },
      );
    }
  }
};
