// Formats measurements as tables in Markdown.
import { cpus } from 'node:os';

const digits = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toPrecision(2));

/** Formats a duration in the unit of the operation. */
export const timeOf = ({ divide }, ms) => {
  if (divide === undefined) {
    return `${digits(ms)} ms`;
  }
  // Per item: `by` is a count, with a factor if the unit is not microseconds.
  return `${digits((ms * 1000) / divide.by)} ${divide.unit}`;
};

const sizeText = (size) => size.toLocaleString('en');

/** Returns the row of pdsdb at a size, for comparison. */
const oursAt = (rows, size) => rows.find((row) => row.size === size && row.name === 'pdsdb');

const ratioText = (result, row) => {
  const name = result.against?.[row.name];
  const ours =
    name === undefined
      ? oursAt(result.rows, row.size)
      : result.rows.find((other) => other.size === row.size && other.name === name);
  if (row.wall === undefined || ours?.wall === undefined || row === ours) {
    return '';
  }
  const ratio = row.wall / ours.wall;
  const target = result.targets[row.name];
  // A target is for the largest sample of all contenders, or for the only sample.
  const last = Math.max(...result.rows.filter(({ size }) => size <= 100_000).map(({ size }) => size));
  const verdict =
    target === undefined || row.size !== last
      ? ''
      : ` (target: ${digits(target)}, ${ratio >= target ? 'met' : 'not met'})`;
  return `${digits(ratio)}${verdict}`;
};

const cells = (values) => `| ${values.join(' | ')} |`;

export const tableOf = (result) => {
  const head = ['records', 'who', 'time', 'processor time', 'peak memory', 'times pdsdb'];
  const rows = result.rows.map((row) =>
    cells(
      row.wall === undefined
        ? [sizeText(row.size), row.name, 'failed', '', '', '']
        : [
            sizeText(row.size),
            row.name,
            timeOf(result, row.wall),
            timeOf(result, row.cpu),
            `${row.peak.toFixed(0)} MiB${result.memoryTarget === undefined ? '' : `, ${row.growth.toFixed(0)} MiB of them during the run`}`,
            ratioText(result, row),
          ],
    ),
  );
  return [cells(head), cells(['--:', '---', '--:', '--:', '--:', '--:']), ...rows].join('\n');
};

const doesAndSkips = ({ rows }) => {
  const seen = new Map(rows.map(({ name, does, skips }) => [name, `- **${name}** does: ${does}. Skips: ${skips}.`]));
  return [...seen.values()].join('\n');
};

const BROWSER_COLUMNS = [
  ['import', 'import', 1, 'ms'],
  ['get', 'get', 1000, 'us per record'],
  ['list', 'list', 1, 'ms'],
  ['export', 'export', 1, 'ms'],
  ['commits', 'commit', 50, 'ms'],
];

const browserSection = (browsers, nodeImport) => {
  if (browsers.length === 0) {
    return [];
  }
  const rows = browsers.map(({ browser, version, storage, times }) =>
    cells([
      `${browser} ${version.replace(/^[^/]*\//, '')}`,
      storage,
      ...BROWSER_COLUMNS.map(
        ([key, , by, unit]) => `${digits((times[key] * (unit.startsWith('us') ? 1000 : 1)) / by)} ${unit}`,
      ),
      nodeImport === undefined ? '' : digits(times.import / nodeImport),
    ]),
  );
  const head = ['browser', 'storage', ...BROWSER_COLUMNS.map(([, title]) => title), 'import, times Node'];
  return [
    '## In browsers',
    [cells(head), cells(head.map((_, i) => (i < 2 ? '---' : '--:'))), ...rows].join('\n'),
    `A page calls a worker, which has SQLite and the files: ${browsers[0].size.toLocaleString('en')} records, 1,000 random reads one by one, a list of at most 18,000, 50 commits that the page signs. The times are medians of ${browsers[0].runs} runs, each in a new tab. The first run includes the compilation.`,
  ];
};

/** Returns the whole page. */
export const reportPage = (results, browsers, notes) => {
  const [cpu] = cpus();
  const machine = `${process.platform} ${process.arch}, ${cpus().length} × ${cpu?.model ?? 'unknown processor'}, Node ${process.version}`;
  const sections = results.map((result) =>
    [
      `## ${result.title}`,
      `![${result.title}](benchmarks/${result.operation}.svg)`,
      tableOf(result),
      doesAndSkips(result),
    ].join('\n\n'),
  );
  return [
    '# Benchmarks',
    `\`npm run bench -- --write\` has written this page, on ${machine}. Only the notes are written by hand.`,
    'Each contender runs in a separate process, after a warm-up. The table shows the median of its runs. *Times pdsdb* is its time divided by the time of pdsdb: above 1, pdsdb is faster. *Target* is the ratio that the project aims at.',
    ...sections,
    ...browserSection(
      browsers,
      results
        .find(({ operation }) => operation === 'import')
        ?.rows.find(({ size, name }) => size === 100_000 && name === 'pdsdb')?.wall,
    ),
    notes,
  ].join('\n\n');
};
