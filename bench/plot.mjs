// Plots one operation: bars of time at the largest size that all contenders ran, on a logarithmic scale.
import { laterTime, timeOf } from './report.mjs';

const WIDTH = 820;
const BAR = 22;
const GAP = 10;
const LABEL = 310;
const VALUE = 130;
const TOP = 34;

const escape = (text) => text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]);

export const plotOf = (result) => {
  const { rows, title } = result;
  const timed = rows
    .filter((row) => row.size <= 100_000 && row.runs.length > 0)
    .map(({ name, size, runs }) => ({ name, size, wall: laterTime({ runs }) }));
  const size = Math.max(...timed.map((row) => row.size));
  const bars = timed.filter((row) => row.size === size);
  const walls = bars.map(({ wall }) => wall);
  const [least, most] = [Math.min(...walls) / 2, Math.max(...walls)];
  const span = Math.log(most / least);
  const lengthOf = (wall) => Math.max(2, (Math.log(wall / least) / span) * (WIDTH - LABEL - VALUE));
  const lines = bars.flatMap((row, i) => {
    const y = TOP + i * (BAR + GAP);
    const length = lengthOf(row.wall).toFixed(1);
    const middle = y + BAR / 2 + 4;
    return [
      `<text x="${LABEL - 8}" y="${middle}" text-anchor="end">${escape(row.name)}</text>`,
      `<rect x="${LABEL}" y="${y}" width="${length}" height="${BAR}" rx="3" fill="${row.name.startsWith('pdsdb') ? '#1a6ee0' : '#9aa5b1'}"/>`,
      `<text x="${(LABEL + Number(length) + 6).toFixed(1)}" y="${middle}">${timeOf(result, row.wall)}</text>`,
    ];
  });
  const height = TOP + bars.length * (BAR + GAP) + 4;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#57606a">`,
    `<text x="8" y="18" font-weight="600">${escape(title.replaceAll('`', ''))}: ${size.toLocaleString('en')} records, logarithmic scale, shorter is faster</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
};
