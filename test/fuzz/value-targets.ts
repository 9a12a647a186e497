/** Decoders. Each accepted input must equal the output of the encoder. */
import { equalBytes } from '../../src/core/data/bytes.ts';
import { decodeCbor } from '../../src/core/data/cbor-decode.ts';
import { encodeCbor } from '../../src/core/data/cbor-encode.ts';
import { cidTextToBytes, cidToText, parseCid } from '../../src/core/data/cid.ts';
import { decodeCommit, encodeCommit, verifyCommit } from '../../src/core/repo/commit.ts';
import { fromJson, toJson } from '../../src/core/data/json.ts';
import type { JsonValue } from '../../src/core/data/json.ts';
import { blobMentions } from '../../src/core/data/blob-ref.ts';
import { decodeContent, encodeNode } from '../../src/core/mst/codec.ts';
import { assertRecordFields } from '../../src/core/data/record-fields.ts';
import { KEY, POST } from '../../src/testing/repo/harness.ts';
import { posts, repositoryOf } from '../hostile/build-repository.ts';
import type { FuzzTarget } from './fuzz-target.ts';
import { hold, orRefused } from './fuzz-target.ts';
import { mutateBytes, pick } from './mutate-bytes.ts';

const whole = await repositoryOf({ records: posts(60) });
const link = whole.commit.cid;
const records = [
  ...whole.records.slice(0, 3).map(({ bytes }) => bytes),
  encodeCbor({
    $type: POST,
    embed: {
      $type: 'blob',
      ref: cidTextToBytes(cidToText(link)) === undefined ? null : link,
      mimeType: 'image/png',
      size: 5,
    },
  }),
  encodeCbor({
    $type: POST,
    a: null,
    b: [true, false, [], {}],
    c: new Uint8Array(30),
    d: -1,
    e: Number.MAX_SAFE_INTEGER,
    link,
    text: '\u{1F600}é\u{FEFF}',
  }),
  encodeCbor(
    Object.defineProperty({ $type: POST, constructor: 1, '0': 2 }, '__proto__', {
      value: { polluted: true },
      enumerable: true,
    }),
  ),
];

const decoders: readonly FuzzTarget[] = [
  {
    name: 'record',
    async run(random) {
      const bytes = mutateBytes(pick(random, records), random);
      const value = await orRefused(() => ({ decoded: decodeCbor(bytes) }));
      if (value === undefined) {
        return 'refused';
      }
      const { decoded } = value;
      hold(equalBytes(encodeCbor(decoded), bytes), 'an accepted record is encoded to the same bytes');
      blobMentions(decoded);
      await orRefused(() => assertRecordFields(decoded));
      const json = await orRefused(() => toJson(decoded));
      if (json !== undefined) {
        const back = await orRefused(() => ({ decoded: fromJson(JSON.parse(JSON.stringify(json)) as JsonValue) }));
        hold(
          back === undefined || equalBytes(encodeCbor(back.decoded), bytes),
          'its JSON converts back to the same bytes',
        );
      }
      return 'accepted';
    },
  },
  {
    name: 'node',
    async run(random) {
      const bytes = mutateBytes(pick(random, whole.nodes).bytes, random);
      const node = await orRefused(() => decodeContent(bytes));
      hold(node === undefined || equalBytes(encodeNode(node), bytes), 'an accepted node is encoded to the same bytes');
      return node === undefined ? 'refused' : 'accepted';
    },
  },
  {
    name: 'commit',
    async run(random) {
      const bytes = mutateBytes(whole.commit.bytes, random);
      const commit = await orRefused(() => decodeCommit(bytes));
      if (commit === undefined) {
        return 'refused';
      }
      hold(equalBytes(encodeCommit(commit), bytes), 'an accepted commit is encoded to the same bytes');
      hold(
        equalBytes(bytes, whole.commit.bytes) || !verifyCommit(bytes, KEY.did()),
        'a changed commit does not verify',
      );
      return 'accepted';
    },
  },
  {
    name: 'CID text',
    async run(random) {
      const text = new TextDecoder('latin1').decode(mutateBytes(new TextEncoder().encode(cidToText(link)), random));
      const cid = await orRefused(() => parseCid(text));
      hold(cid === undefined || cidToText(cid) === text, 'a CID has exactly one text');
      return cid === undefined ? 'refused' : 'accepted';
    },
  },
];

export const valueTargets: readonly FuzzTarget[] = decoders;
