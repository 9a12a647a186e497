/** Every limit of untrusted input, as the documentation lists them. */
import { MAX_EVENT_BLOCKS, MAX_EVENT_OPS, MAX_SYNC_BLOCKS } from '../../src/core/repo/proof/commit-event.ts';
import { MAX_PROOF_SIZE } from '../../src/core/repo/proof/verify-proof.ts';
import { MAX_DID_DOCUMENT_LENGTH } from '../../src/core/crypto/key-source.ts';
import { MAX_BLOCK_SIZE, MAX_CAR_BLOCKS, MAX_CAR_HEADER, MAX_CAR_SIZE } from '../../src/core/car/decoder.ts';
import { MAX_AT_URI_LENGTH } from '../../src/core/syntax/at-uri.ts';
import { MAX_CAR_LOOKAHEAD } from '../../src/core/repo/transfer/car-with-did.ts';
import { MAX_CAR_ROOTS } from '../../src/core/car/header.ts';
import { MAX_REPORTED } from '../../src/core/data/bounded-list.ts';
import {
  MAX_CBOR_DEPTH,
  MAX_CBOR_ENTRIES,
  MAX_CBOR_KEY_LENGTH,
  MAX_CBOR_VALUES,
} from '../../src/core/data/cbor-check.ts';
import { MAX_KEY_LENGTH } from '../../src/core/mst/key.ts';
import { MAX_NODE_ENTRIES, MAX_NODE_KEYS_SIZE, MAX_TREE_DEPTH } from '../../src/core/mst/node.ts';
import { MAX_GET_PATHS } from '../../src/core/repo/read/many-records.ts';
import { MAX_DRY_CHANGES } from '../../src/core/repo/transfer/import-changes.ts';
import { MAX_REV_AHEAD_MS } from '../../src/core/repo/write/accept.ts';
import { MAX_RECORD_FAULTS } from '../../src/core/repo/transfer/import-tree.ts';
import { MAX_UNLINKED } from '../../src/core/repo/transfer/import.ts';
import { MAX_STORED_VALUE } from '../../src/core/storage/layout.ts';
import { MAX_MANIFEST_SIZE } from '../../src/core/repo/transfer/backup-manifest.ts';
import { MAX_META_NAME_SIZE, MAX_META_VALUE_SIZE } from '../../src/core/repo/write/meta.ts';
import { MAX_REQUESTS } from '../../src/core/repo/write/requests.ts';
import { MAX_RECORD_SIZE } from '../../src/core/repo/record.ts';
import { MAX_COLLECTION_LENGTH, MAX_DID_LENGTH, MAX_RECORD_KEY_LENGTH } from '../../src/core/syntax/identifiers.ts';
import { MAX_COPIED_SIZE } from '../../src/adapters/s3/blob-upload.ts';
import { MAX_UPLOAD_PARTS } from '../../src/adapters/s3/multipart.ts';
import { MAX_XML_ELEMENTS, MAX_XML_SIZE } from '../../src/adapters/s3/xml.ts';
import { MAX_VARINT_LENGTH } from '../../src/core/data/varint.ts';

export interface Limit {
  readonly name: string;
  readonly value: number;
  readonly what: string;
  /** The option that changes the limit. */
  readonly option: string;
}

const FIXED = '';

export const limits: readonly Limit[] = [
  { name: 'MAX_AT_URI_LENGTH', value: MAX_AT_URI_LENGTH, what: 'characters of an AT URI', option: FIXED },
  {
    name: 'MAX_BLOCK_SIZE',
    value: MAX_BLOCK_SIZE,
    what: 'bytes of one block of a CAR',
    option: '`maxBlockSize` of `importCar`, `readCar`, `readCarStream`',
  },
  {
    name: 'MAX_CAR_BLOCKS',
    value: MAX_CAR_BLOCKS,
    what: 'blocks of a CAR',
    option: '`maxBlocks` of `importCar`, `verifyCar`, `readCar`, `readCarStream`',
  },
  {
    name: 'MAX_CAR_HEADER',
    value: MAX_CAR_HEADER,
    what: 'bytes of the header of a CAR',
    option: '`maxHeaderSize` of `readCar`, `readCarStream`',
  },
  {
    name: 'MAX_CAR_LOOKAHEAD',
    value: MAX_CAR_LOOKAHEAD,
    what: 'bytes of a stream that `importRepo` holds until the commit comes',
    option: 'none; a `Blob` is read twice',
  },
  {
    name: 'MAX_CAR_ROOTS',
    value: MAX_CAR_ROOTS,
    what: 'roots that a CAR names',
    option: '`maxRoots` of `readCar`, `readCarStream`',
  },
  {
    name: 'MAX_CAR_SIZE',
    value: MAX_CAR_SIZE,
    what: 'bytes of a whole CAR',
    option: '`maxSize` of `importCar`, `verifyCar`, `readCar`, `readCarStream`',
  },
  { name: 'MAX_CBOR_DEPTH', value: MAX_CBOR_DEPTH, what: 'levels of arrays and maps in a record', option: FIXED },
  { name: 'MAX_CBOR_ENTRIES', value: MAX_CBOR_ENTRIES, what: 'entries of one array or map', option: FIXED },
  { name: 'MAX_CBOR_KEY_LENGTH', value: MAX_CBOR_KEY_LENGTH, what: 'bytes of a key of a map', option: FIXED },
  { name: 'MAX_CBOR_VALUES', value: MAX_CBOR_VALUES, what: 'values and keys in one record', option: FIXED },
  { name: 'MAX_COLLECTION_LENGTH', value: MAX_COLLECTION_LENGTH, what: 'characters of a collection', option: FIXED },
  { name: 'MAX_COPIED_SIZE', value: MAX_COPIED_SIZE, what: 'bytes of a blob on an S3 server', option: FIXED },
  {
    name: 'MAX_DID_DOCUMENT_LENGTH',
    value: MAX_DID_DOCUMENT_LENGTH,
    what: 'characters of a DID document that is given as a key',
    option: FIXED,
  },
  { name: 'MAX_DID_LENGTH', value: MAX_DID_LENGTH, what: 'characters of a DID', option: FIXED },
  { name: 'MAX_DRY_CHANGES', value: MAX_DRY_CHANGES, what: 'changes of a dry run of `importCar`', option: FIXED },
  {
    name: 'MAX_EVENT_BLOCKS',
    value: MAX_EVENT_BLOCKS,
    what: 'bytes of the CAR of a commit event',
    option: FIXED,
  },
  { name: 'MAX_EVENT_OPS', value: MAX_EVENT_OPS, what: 'operations of a commit event', option: FIXED },
  { name: 'MAX_GET_PATHS', value: MAX_GET_PATHS, what: 'paths of one `getMany`', option: FIXED },
  { name: 'MAX_KEY_LENGTH', value: MAX_KEY_LENGTH, what: 'bytes of a key of the tree', option: FIXED },
  { name: 'MAX_MANIFEST_SIZE', value: MAX_MANIFEST_SIZE, what: 'bytes of the manifest of a backup', option: FIXED },
  {
    name: 'MAX_META_NAME_SIZE',
    value: MAX_META_NAME_SIZE,
    what: 'bytes of the name of a meta value',
    option: FIXED,
  },
  { name: 'MAX_META_VALUE_SIZE', value: MAX_META_VALUE_SIZE, what: 'bytes of a meta value', option: FIXED },
  { name: 'MAX_NODE_ENTRIES', value: MAX_NODE_ENTRIES, what: 'entries of one tree node', option: FIXED },
  {
    name: 'MAX_NODE_KEYS_SIZE',
    value: MAX_NODE_KEYS_SIZE,
    what: 'bytes of the keys of one tree node, written out',
    option: FIXED,
  },
  { name: 'MAX_PROOF_SIZE', value: MAX_PROOF_SIZE, what: 'bytes of the proof of a record', option: FIXED },
  {
    name: 'MAX_RECORD_FAULTS',
    value: MAX_RECORD_FAULTS,
    what: 'records of one import that break the data model',
    option: '`maxFaults` of `importCar`',
  },
  { name: 'MAX_RECORD_KEY_LENGTH', value: MAX_RECORD_KEY_LENGTH, what: 'characters of a record key', option: FIXED },
  { name: 'MAX_RECORD_SIZE', value: MAX_RECORD_SIZE, what: 'bytes of a record that is written here', option: FIXED },
  {
    name: 'MAX_REPORTED',
    value: MAX_REPORTED,
    what: 'faults, steps of one kind or losses that a report lists; it counts the rest',
    option: FIXED,
  },
  {
    name: 'MAX_REQUESTS',
    value: MAX_REQUESTS,
    what: 'writes whose outcome is remembered, so that a repeated call gets the same result',
    option: FIXED,
  },
  {
    name: 'MAX_REV_AHEAD_MS',
    value: MAX_REV_AHEAD_MS,
    what: 'milliseconds that the rev of a commit may be ahead of the clock',
    option: FIXED,
  },
  {
    name: 'MAX_STORED_VALUE',
    value: MAX_STORED_VALUE,
    what: 'bytes of a block or another value in `pds.db`; a longer one is damage, and is not read',
    option: FIXED,
  },
  { name: 'MAX_SYNC_BLOCKS', value: MAX_SYNC_BLOCKS, what: 'bytes of the CAR of a sync event', option: FIXED },
  { name: 'MAX_TREE_DEPTH', value: MAX_TREE_DEPTH, what: 'nodes from the root of a tree to a leaf', option: FIXED },
  {
    name: 'MAX_UNLINKED',
    value: MAX_UNLINKED,
    what: 'bytes of unlinked blocks with their CIDs, if they are also more than four times the other blocks',
    option: '`maxUnlinked` of `importCar`',
  },
  {
    name: 'MAX_UPLOAD_PARTS',
    value: MAX_UPLOAD_PARTS,
    what: 'parts of a blob that is sent to an S3 server',
    option: '`partSize` of `openS3Blobs`, `s3Blobs`, for larger parts',
  },
  { name: 'MAX_VARINT_LENGTH', value: MAX_VARINT_LENGTH, what: 'bytes of a length in a CAR', option: FIXED },
  { name: 'MAX_XML_ELEMENTS', value: MAX_XML_ELEMENTS, what: 'elements of a response of an S3 server', option: FIXED },
  {
    name: 'MAX_XML_SIZE',
    value: MAX_XML_SIZE,
    what: 'bytes of a response of an S3 server without a blob',
    option: FIXED,
  },
];
