/** Reads and writes records as stored bytes, which may break the data model. */
import type { CID } from '../../data/cid.ts';
import type { Bytes } from '../../data/bytes.ts';
import { RepoError } from '../../errors.ts';
import { findValue } from '../../mst/find.ts';
import { withPinned } from '../care/pins.ts';
import type { RepoParts } from '../open-parts.ts';
import { requireBlock } from '../../storage/checked-blocks.ts';
import { withHead } from '../read/head-view.ts';
import { resolveCommit } from '../read/history.ts';
import type { WriteOptions } from '../commits.ts';
import type { Put } from './write.ts';
import { putBlock } from './write.ts';

/** `Repo.getBytes`. */
export const readBytes = (parts: RepoParts, path: string): Promise<Bytes | undefined> =>
  withHead(parts, async ({ root, nodes, blocks, hashAll }) => {
    const cid = root === undefined ? undefined : await findValue(nodes, root, path);
    return cid && requireBlock(blocks, cid, hashAll);
  });

/** `Repo.restore`. */
export const restoreRecord = (
  parts: RepoParts,
  path: string,
  at: string | CID,
  options: WriteOptions | undefined,
): Promise<Put> =>
  withPinned(
    parts.pins,
    async () => [await resolveCommit(parts, at)] as const,
    async ([{ data, rev }]) => {
      const cid = await findValue(parts.nodes, data, path);
      if (cid === undefined) {
        throw new RepoError(
          'RecordNotFound',
          `the commit has no such record: see \`diff\` and \`log\` for one that has; path=${path} rev=${rev}`,
        );
      }
      const bytes = await requireBlock(parts.store, cid, parts.hashAll);
      return putBlock(parts, path, { cid, bytes }, options);
    },
  );
