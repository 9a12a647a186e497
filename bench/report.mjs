// Formats measurements as tables in Markdown.
import { cpus } from 'node:os';
import { intervalOf, medianOf } from './interval.mjs';

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

/** Returns the row that a contender is compared with: the one of `against`, or pdsdb. */
const oursFor = ({ rows, against }, row) => {
  const name = against?.[row.name] ?? 'pdsdb';
  const ours = rows.find((other) => other.size === row.size && other.name === name);
  return ours === row ? undefined : ours;
};

const firstRatio = (result, row) => {
  const ours = oursFor(result, row);
  return ours?.first === undefined ? '' : digits(row.first.wall / ours.first.wall);
};

/** Returns how many times as long the later runs of a contender last, round by round. */
const laterRatio = (result, row) => {
  const ratios = row.runs.flatMap((run, i) => {
    const ours = oursFor(result, row)?.runs[i];
    return ours === undefined ? [] : [run.wall / ours.wall];
  });
  if (ratios.length === 0) {
    return '';
  }
  const { low, median, high } = intervalOf(ratios);
  const target = result.targets[row.name]?.[row.size];
  const verdict = target === undefined ? '' : `; target: ${digits(target)}, ${median >= target ? 'met' : 'not met'}`;
  return `${digits(median)} (${digits(low)} to ${digits(high)}${verdict})`;
};

/** Returns the median of the later runs, or `undefined` without one. */
export const laterTime = ({ runs }, field = 'wall') =>
  runs.length === 0 ? undefined : medianOf(runs.map((run) => run[field]));

const cells = (values) => `| ${values.join(' | ')} |`;

export const tableOf = (result) => {
  const head = ['records', 'who', 'first run', 'later runs', 'their processor time', 'memory', 'first', 'later'];
  const time = (ms) => (ms === undefined ? '' : timeOf(result, ms));
  const rows = result.rows.map((row) =>
    cells(
      row.first === undefined || row.error !== undefined
        ? [sizeText(row.size), row.name, 'failed', '', '', '', '', '']
        : [
            sizeText(row.size),
            row.name,
            time(row.first.wall),
            time(laterTime(row)),
            time(laterTime(row, 'cpu')),
            `${row.growth.toFixed(0)} MiB`,
            firstRatio(result, row),
            laterRatio(result, row),
          ],
    ),
  );
  return [cells(head), cells(['--:', '---', '--:', '--:', '--:', '--:', '--:', '--:']), ...rows].join('\n');
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

/** Returns the time of pdsdb's import of 100,000 records, or `undefined` if it was not measured. */
const importTime = (results) => {
  const rows = results.find(({ operation }) => operation === 'import')?.rows ?? [];
  const row = rows.find(({ size, name }) => size === 100_000 && name === 'pdsdb');
  return row === undefined ? undefined : laterTime(row);
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
    `\`npm run bench -- --write${browsers.length > 0 ? ' --browsers' : ''}\` has written this page, on ${machine}. Only the notes are written by hand.`,
    'Each contender runs in a process of its own. *First run* is the first call in a new process, with the compilation of its code: the median of five processes for 1,000 records, and one process for more. Then each contender runs for a second, so that the code that repeats is compiled. *Later runs* is the median of 15 rounds, in which the contenders take turns; a round of a short operation is the median of a tenth of a second, and a contender that has run for 15 seconds leaves after five rounds. *Memory* is the growth of the process from before it reads its input, at its peak. The last two columns divide the time of a contender by the time of pdsdb: above 1, pdsdb is faster. The ratio of the later runs is the median of the ratios of each round, with its 95 % interval. *Target* is the ratio that the project aims at.',
    'The sample has the collections of an account: 60 % likes, 22 % posts, 12 % follows, 6 % reposts. Posts have replies, facets and embeds of the usual sizes. A repository with other records has other ratios: with larger records, hashing has a larger share, and the ratios of verify and import come closer to those of *floor*. With a collection whose records differ in form, `list` decodes more slowly.',
    ...sections,
    ...browserSection(browsers, importTime(results)),
    notes,
  ].join('\n\n');
};
