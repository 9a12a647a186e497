import type { Command } from 'commander';
import { REPO_OR_CAR, wholeNumber, withExamples } from '../terminal/arguments.ts';
import { jsonText } from '../terminal/print.ts';
import { printable } from '../terminal/printable.ts';
import { formatBytes, withProgress } from '../terminal/progress.ts';
import type { Context } from '../terminal/shell.ts';
import { withReadable } from '../terminal/with-repo.ts';
import type { Statistics } from './statistics.ts';
import { statisticsOf } from './statistics.ts';

/** The longest bar, in characters. */
const BAR_LENGTH = 40;
/** Default of `--top`. */
const DEFAULT_TOP = 5;

/** Formats rows as columns. Texts are aligned to the left, and numbers to the right. */
const columns = (rows: readonly (readonly (number | string)[])[]): string => {
  const widths = (rows[0] ?? []).map((_, i) => Math.max(...rows.map((row) => printable(String(row[i])).length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => {
          const text = printable(String(cell));
          return typeof cell === 'number' ? text.padStart(widths[i]!) : text.padEnd(widths[i]!);
        })
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `  ${line}\n`)
    .join('');
};

const section = (title: string, rows: readonly (readonly (number | string)[])[]): string =>
  rows.length === 0 ? '' : `\n${title}\n${columns(rows)}`;

const bar = (records: number, most: number): string =>
  '█'.repeat(records === 0 ? 0 : Math.max(1, Math.round((records / most) * BAR_LENGTH)));

const textOf = (statistics: Statistics, isTerminal: boolean): string => {
  const { did, head, records, bytes, collections, months, blobs, orphanedBlobs } = statistics;
  const most = Math.max(...months.map((month) => month.records));
  const blobRows = (list: Statistics['orphanedBlobs']): (number | string)[][] =>
    list.map(({ cid, bytes: size, mimeType }) => [size, cid, mimeType ?? '']);
  return [
    columns([
      ['did', did],
      ['head', head ?? 'none yet'],
      ['records', `${records} (${formatBytes(bytes)})`],
      [
        'blobs',
        `${blobs.stored} (${formatBytes(blobs.bytes)}), ${blobs.missing} missing, ${orphanedBlobs.length} orphaned`,
      ],
    ]),
    section(
      'Collections: records, bytes, first and last key',
      collections.map((one) => [one.collection, one.records, one.bytes, one.first, one.last]),
    ),
    section(
      'Records by month of their TID',
      months.map((one) => [one.month, one.records, isTerminal ? bar(one.records, most) : '']),
    ),
    section(
      'Largest records, in bytes',
      statistics.largestRecords.map(({ path, bytes: size }) => [size, path]),
    ),
    section('Largest blobs, in bytes', blobRows(statistics.largestBlobs)),
    section('Orphaned blobs, which gc --blobs removes', blobRows(orphanedBlobs)),
  ].join('');
};

/** `stats`: counts and sizes of records and blobs. */
export const addStats = (program: Command, context: Context): void => {
  const command = program
    .command('stats')
    .description('count records and bytes by collection and by month; list the largest records and orphaned blobs')
    .argument(...REPO_OR_CAR)
    .option('--top <n>', `how many of the largest records and blobs (default: ${DEFAULT_TOP})`, wholeNumber(0))
    .action((where: string, { top = DEFAULT_TOP }: { top?: number }) =>
      withReadable(context, where, async (repo) => {
        const statistics = await withProgress(context, ({ signal, onProgress }) =>
          statisticsOf(repo, top, signal!, (records, bytes) =>
            onProgress?.({ phase: 'read', bytes, blocks: records, records }),
          ),
        );
        await context.stdout.text(
          context.json ? `${jsonText(statistics)}\n` : textOf(statistics, context.stdout.isTTY),
        );
      }),
    );
  withExamples(command, 'stats alice', 'stats alice.car --top 20', 'stats alice --json');
};
