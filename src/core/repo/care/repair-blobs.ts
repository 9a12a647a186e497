/** The part of a repair that is about blobs: files that are not the blobs of their names. */
import type { CID } from '../../data/cid.ts';
import { cidToText, decodeCid } from '../../data/cid.ts';
import { isRepoError, RepoError } from '../../errors.ts';
import { walkLeaves } from '../../mst/walk.ts';
import type { ReadParts } from '../open-parts.ts';
import { isBlobIntact, mentionsOf } from '../read/blobs.ts';
import type { Plan } from './repair-plan.ts';
import { plan, query } from './repair-plan.ts';
import type { ChosenHead } from './repair-search.ts';
import { pastDamage } from './survey.ts';

/** Blobs whose bytes are others, and what else stands in their place. */
const findBadBlobs = async (
  { blobs }: ReadParts,
  signal: AbortSignal | undefined,
): Promise<Map<string, { cid: CID; message: string }>> => {
  const bad = new Map<string, { cid: CID; message: string }>();
  for await (const { cid, size } of blobs.list()) {
    signal?.throwIfAborted();
    const blob = await blobs.get(cid);
    if (blob !== undefined && !(await isBlobIntact(cid, blob))) {
      bad.set(cidToText(cid), {
        cid,
        message: `a file that is not the blob of its name was removed; cid=${cidToText(cid)} size=${size}`,
      });
    }
  }
  for await (const { cid, message } of blobs.strays?.() ?? []) {
    bad.set(cidToText(cid), { cid, message: `what stood in the place of a blob was removed: ${message}` });
  }
  return bad;
};

/** The first record of the head that mentions each of some blobs. */
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

/** Plans the removal of every file that is not the blob of its name. */
export const planBlobs = async (parts: ReadParts, planned: Plan, signal: AbortSignal | undefined): Promise<void> => {
  const { lost, head, badBlobs } = planned;
  const bad = await findBadBlobs(parts, signal);
  const paths = head === undefined ? new Map<string, string>() : await pathsOfMentions(parts, head, bad);
  for (const [text, { cid, message }] of bad) {
    plan(planned, 'dropBlob', message, { cid });
    badBlobs.push(cid);
    const path = paths.get(text);
    const what = path === undefined ? 'no record of the head that can be read mentions it' : `path=${path}`;
    planned.lacksBlob ||= path !== undefined;
    lost.add({
      kind: 'blob',
      message: `a blob is gone; ${what} cid=${text}`,
      cid,
      path,
      request: `/xrpc/com.atproto.sync.getBlob${query(parts.did, 'cid', cid)}`,
    });
  }
};

/** Removes blobs, and goes on past those that cannot be removed by saying which. */
export const removeBlobs = async ({ blobs }: ReadParts, cids: readonly CID[]): Promise<void> => {
  for (const cid of cids) {
    try {
      await blobs.delete([cid]);
    } catch (cause) {
      throw new RepoError(
        isRepoError(cause) ? cause.code : 'StorageFailed',
        `all is repaired but what stands in the place of a blob: remove it by hand; cid=${cidToText(cid)}`,
        { cause },
      );
    }
  }
};
