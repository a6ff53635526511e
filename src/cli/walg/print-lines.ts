import Table from 'cli-table3';
import { stringify } from 'lossless-json';
import { type BackupLine, cellOf } from './backup-details.ts';

/** A column: the field, and its heading in a table with lines. */
export type Column = readonly [string, string];

/** JSON as WAL-G prints it: in one line, or indented by four. 64-bit numbers stay numbers. */
export function formatWalgJson(value: unknown, isPretty: boolean): string {
  return stringify(value, undefined, isPretty ? 4 : undefined) ?? '';
}

/** Columns that are parted by spaces, under the names of the fields. @see Go's package text/tabwriter */
export function formatTabbed(columns: readonly Column[], lines: readonly BackupLine[]): string {
  const rows = [
    columns.map(([field]) => (field === 'time' ? 'modified' : field)),
    ...lines.map((line) => columns.map(([field]) => cellOf(field, line[field], false))),
  ];
  const widths = columns.map((_column, index) => Math.max(...rows.map((row) => row[index]?.length ?? 0)));
  return rows
    .map((row) =>
      row.map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0))).join(' '),
    )
    .join('\n');
}

/** A numbered table with lines, as `--pretty` gives it. */
export function formatBoxed(columns: readonly Column[], lines: readonly BackupLine[]): string {
  const table = new Table({
    head: ['#', ...columns.map(([, heading]) => heading.toUpperCase())],
    colAligns: ['right'],
    chars: {
      ...{ top: '-', 'top-mid': '+', 'top-left': '+', 'top-right': '+' },
      ...{ bottom: '-', 'bottom-mid': '+', 'bottom-left': '+', 'bottom-right': '+' },
      ...{ left: '|', mid: '', 'left-mid': '', 'mid-mid': '', right: '|', 'right-mid': '', middle: '|' },
    },
    style: { head: [], border: [] },
  });
  lines.forEach((line, index) => {
    table.push([String(index), ...columns.map(([field]) => cellOf(field, line[field], true))]);
  });
  const [top = '', head = '', ...rest] = table.toString().split('\n');
  return [top, head, top, ...rest].join('\n');
}
