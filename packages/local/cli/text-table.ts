/** A column of a table. */
export interface TextColumn {
  readonly title: string;
  readonly align: 'left' | 'right';
  readonly cells: readonly string[];
}

const GAP = '  ';
const MIN_WIDTH = 8;

/**
 * Lines of a table, the titles first, no line wider than `columns`: the widest left-aligned columns are cut with an ellipsis until
 * all fits, as far as that can be.
 */
export function drawTable(table: readonly TextColumn[], columns = Number.POSITIVE_INFINITY): string[] {
  const widths = table.map(({ title, cells }) => cells.reduce((width, cell) => Math.max(width, lengthOf(cell)), lengthOf(title)));
  const total = () => widths.reduce((sum, width) => sum + width + GAP.length, -GAP.length);
  for (let over = total() - columns; over > 0; over = total() - columns) {
    const widest = widestLeft(table, widths);
    if (widest === undefined) break;
    widths[widest] = Math.max(MIN_WIDTH, (widths[widest] as number) - Math.min(over, 8));
  }
  const rows = table[0]?.cells.length ?? 0;
  const line = (cellOf: (column: TextColumn) => string) =>
    table
      .map((column, i) => fit(cellOf(column), widths[i] as number, column.align))
      .join(GAP)
      .trimEnd();
  return [line(({ title }) => title), ...Array.from({ length: rows }, (_, row) => line(({ cells }) => cells[row] ?? ''))];
}

function widestLeft(table: readonly TextColumn[], widths: readonly number[]): number | undefined {
  let found: number | undefined;
  for (const [i, width] of widths.entries()) {
    if (table[i]?.align === 'left' && width > MIN_WIDTH && (found === undefined || width > (widths[found] as number))) found = i;
  }
  return found;
}

function fit(text: string, width: number, align: 'left' | 'right'): string {
  const characters = [...text];
  const cut = characters.length > width ? `${characters.slice(0, width - 1).join('')}\u2026` : text;
  const padding = ' '.repeat(Math.max(0, width - lengthOf(cut)));
  return align === 'left' ? cut + padding : padding + cut;
}

/** Characters, which is what a terminal has columns for, but for wide ones. */
function lengthOf(text: string): number {
  return [...text].length;
}
