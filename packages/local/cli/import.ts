import { parseArgs } from 'node:util';
import { isOpsError } from '#core/errors.ts';
import type { InfluxPrecision } from '#ingest/influx-protocol.ts';
import { clientHelp, clientOptions, openClient } from './client-options.ts';
import type { Command } from './command.ts';
import { type FileResult, importFile } from './import-file.ts';
import { type FileFormat, fileFormats, formatOfName, knownExtensions, openSource } from './import-source.ts';
import { createProgressDisplay } from './progress-display.ts';

const PRECISIONS: readonly InfluxPrecision[] = ['ns', 'us', 'ms', 's', 'm', 'h'];
const LINES_SHOWN = 20;

/** `quarterdeck import FILE...`: files of metrics into a server, of any size and age. */
export const importCommand: Command = {
  help: `Usage: quarterdeck import FILE... [--format FORMAT] [--precision UNIT] [--url URL] [--token TOKEN] [--json]

Imports files, plain or compressed with gzip or zstd. What cannot be read is left out and reported, line by line. A file that is
imported again changes nothing, but for samples that carry no time.
  --format FORMAT  ${fileFormats.join(', ')}; else told by the name's extension:
                   ${knownExtensions}, with .gz or .zst behind it or not
  --precision UNIT of times in line protocol: ${PRECISIONS.join(', ')}; ns if not given
${clientHelp}
Ends with 0 when all is imported, 1 when something failed or was left out, 2 when misused.`,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { ...clientOptions, format: { type: 'string' }, precision: { type: 'string' } },
    });
    const misuse = findMisuse(values, positionals);
    if (misuse !== undefined) {
      console.error(`quarterdeck import: ${misuse}`);
      return 2;
    }
    const client = openClient(values);
    const display = createProgressDisplay(process.stderr, Date.now);
    const results: FileResult[] = [];
    for (const path of positionals) {
      const onProgress = (progress: Parameters<typeof display.show>[1]) => display.show(path, progress);
      const format = (values.format ?? formatOfName(path)) as FileFormat;
      const result = await openSource(path, format)
        .then((source) => importFile({ client, now: Date.now, onProgress }, source, values.precision as InfluxPrecision | undefined))
        .catch((error: unknown) => failed(path, error));
      display.clear();
      results.push(result);
      if (!values.json) report(result);
    }
    if (values.json) console.log(JSON.stringify(results, null, 2));
    return results.every(({ state, rejected }) => state === 'done' && rejected.count === 0) ? 0 : 1;
  },
};

function findMisuse(values: { format?: string | undefined; precision?: string | undefined }, files: readonly string[]): string | undefined {
  const { format, precision } = values;
  if (files.length === 0) return 'name one file or more; --help tells more';
  if (format !== undefined && !fileFormats.includes(format as FileFormat)) {
    return `--format ${format} is not known; it takes ${fileFormats.join(', ')}`;
  }
  if (precision !== undefined && !PRECISIONS.includes(precision as InfluxPrecision)) {
    return `--precision ${precision} is not known; it takes ${PRECISIONS.join(', ')}`;
  }
  const formats = files.map((file) => format ?? formatOfName(file));
  const unknown = formats.indexOf(undefined);
  if (unknown >= 0) return `the name ${files[unknown]} does not tell its format; name it with --format ${fileFormats.join('|')}`;
  const other = formats.findIndex((each) => each !== 'influx');
  if (precision !== undefined && other >= 0) return `--precision is for line protocol, and ${files[other]} is ${formats[other]}`;
  return undefined;
}

function failed(file: string, error: unknown): FileResult {
  if (!isOpsError(error)) throw error;
  const hint = error.hint === undefined ? '' : `\n  ${error.hint}`;
  return { file, state: 'failed', error: `${error.message}${hint}`, rejected: { count: 0, lineCount: 0, lines: [], reasons: [] } };
}

function report({ file, state, error, accepted, rejected }: FileResult): void {
  const taken = accepted === undefined ? (state === 'done' ? 'all samples taken' : '') : `${formatCount(accepted)} samples taken`;
  const left = rejected.count > 0 ? `${formatCount(rejected.count)} left out` : '';
  const summary = [taken, left].filter((part) => part !== '').join(', ');
  if (state === 'done') console.log(`${file}: ${summary}`);
  else console.error(`${file}: failed: ${error ?? 'the server does not say why'}${summary && `\n  before that: ${summary}`}`);
  for (const { line, column, message } of rejected.lines.slice(0, LINES_SHOWN))
    console.error(`  line ${line}, column ${column}: ${message}`);
  const more = rejected.lineCount - Math.min(rejected.lines.length, LINES_SHOWN);
  if (more > 0) console.error(`  and ${formatCount(more)} more lines`);
  for (const { message, count } of rejected.reasons.filter((each) => !/^line \d/.test(each.message))) {
    console.error(`  ${formatCount(count)} samples: ${message}`);
  }
}

function formatCount(count: number): string {
  return count.toLocaleString('en-US');
}
