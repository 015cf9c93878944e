// The figures that Quarterdeck is held to, each with its bar: npm run bench [-- --runs 3] [-- --only ingest,cost]
// Ratios to Prometheus and VictoriaMetrics come from one run of the benchmark kit, and are medians over --runs runs.
import { cpus, totalmem } from 'node:os';
import { parseArgs } from 'node:util';
import { usEast1 } from '#model/prices.ts';
import { measureAlone } from './alerts.ts';
import { BACKUP_MB, type BackupRun, compareBackups } from './backups.ts';
import { measureBundles } from './bundle.ts';
import { priceBatch } from './cost.ts';
import { measureFlagEvaluation } from './flags.ts';
import { measureGrowth } from './growth.ts';
import { measureJudge } from './judge.ts';
import { hasKit, type KitOptions, type KitRun, kitFolder, runKit } from './kit.ts';
import { measureNab } from './nab.ts';

/** One line of the table. */
interface Figure {
  readonly what: string;
  readonly bar: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const { values } = parseArgs({ options: { runs: { type: 'string', default: '3' }, only: { type: 'string' } } });
const runs = Number(values.runs);

const sections: Readonly<Record<string, () => Promise<Figure[]>>> = {
  peers: measurePeers,
  cost: measureCost,
  growth: measureTenfold,
  bundles: measureBundle,
  rules: measureRuleSet,
  storm: measureAlertStorm,
  anomalies: measureAnomalies,
  flags: measureFlags,
  judge: async () => measureJudge(),
  backups: measureBackups,
};

async function measurePeers(): Promise<Figure[]> {
  if (!hasKit()) {
    console.log(`(left out, since there is no benchmark kit at ${kitFolder}: everything beside Prometheus and VictoriaMetrics)`);
    return [];
  }
  const small = await runOften({ batch: 2_000, isReal: false });
  const large = await runOften({ batch: 10_000, isReal: false });
  const real = await runOften({ batch: 2_000, isReal: true });
  return [
    ingestFigure('batches of 2,000', small),
    ingestFigure('batches of 10,000', large),
    ingestFigure('the real scrape', real),
    storedFigure('generated', small),
    storedFigure('the real scrape', real),
    ...queryFigures(small),
    memoryFigure(small),
  ];
}

async function runOften(options: KitOptions): Promise<KitRun[]> {
  const all: KitRun[] = [];
  for (let run = 1; run <= runs; run++) {
    console.error(`-- ${options.isReal ? 'real' : 'generated'} data, batches of ${options.batch}, run ${run} of ${runs}`);
    all.push(await runKit(options));
  }
  return all;
}

function ingestFigure(what: string, all: readonly KitRun[]): Figure {
  const ratio = median(all.map(({ ingestCpu }) => ingestCpu.target / ingestCpu.vm));
  const per = (who: 'target' | 'vm' | 'prom') => median(all.map(({ ingestCpu }) => ingestCpu[who])).toFixed(2);
  return {
    what: `ingest, ${what}: CPU-s per 1 M samples`,
    bar: '<= 1.0 x VictoriaMetrics',
    measured: `${ratio.toFixed(2)} x (${per('target')}; VictoriaMetrics ${per('vm')}, Prometheus ${per('prom')})`,
    isMet: ratio <= 1,
  };
}

function storedFigure(what: string, all: readonly KitRun[]): Figure {
  const ratio = median(all.map(({ bytesPerSample }) => bytesPerSample.target / bytesPerSample.vm));
  const per = (who: 'target' | 'vm' | 'prom') => median(all.map(({ bytesPerSample }) => bytesPerSample[who])).toFixed(2);
  return {
    what: `stored, ${what}: bytes per sample`,
    bar: '<= 1.0 x VictoriaMetrics',
    measured: `${ratio.toFixed(2)} x (${per('target')}; VictoriaMetrics ${per('vm')}, Prometheus ${per('prom')})`,
    isMet: ratio <= 1,
  };
}

function queryFigures(all: readonly KitRun[]): Figure[] {
  const names = Object.keys(all[0].p50Ms);
  const p50 = (name: string, who: 'target' | 'vm' | 'prom') => median(all.map((run) => run.p50Ms[name][who]));
  const ratio = (name: string, to: 'vm' | 'prom') => median(all.map((run) => run.p50Ms[name].target / run.p50Ms[name][to]));
  const rows = names.map((name) => [name, ...(['target', 'vm', 'prom'] as const).map((who) => p50(name, who).toFixed(1))]);
  console.log('\nwarm p50 in ms'.padEnd(24), 'Quarterdeck  VictoriaMetrics  Prometheus');
  for (const [name, target, vm, prom] of rows) console.log(name.padEnd(24), target.padStart(10), vm.padStart(16), prom.padStart(11));
  const count = (to: 'vm' | 'prom') => names.filter((name) => ratio(name, to) <= 1).length;
  const worst = Math.min(...all.map(({ equal }) => equal.target));
  const of = names.length;
  return [
    { what: 'queries, warm p50', bar: '<= VictoriaMetrics on half', measured: `on ${count('vm')} of ${of}`, isMet: count('vm') * 2 >= of },
    { what: 'queries, warm p50', bar: '<= Prometheus on all', measured: `on ${count('prom')} of ${of}`, isMet: count('prom') === of },
    { what: "answers equal to Prometheus'", bar: `${of} of ${of}`, measured: `${worst} of ${of}`, isMet: worst === of },
  ];
}

function memoryFigure(all: readonly KitRun[]): Figure {
  const peak = (who: 'target' | 'vm' | 'prom') => median(all.map(({ peakMb }) => peakMb[who]));
  const others = `VictoriaMetrics ${peak('vm').toFixed(0)}, Prometheus ${peak('prom').toFixed(0)}`;
  return {
    what: 'memory after data and queries',
    bar: '<= 600 MB',
    measured: `${peak('target').toFixed(0)} MB (${others})`,
    isMet: peak('target') <= 600,
  };
}

async function measureCost(): Promise<Figure[]> {
  const figures: Figure[] = [];
  for (const [batch, bar] of [
    [2_000, 4.5],
    [10_000, 1.5],
  ] as const) {
    const { cost, perMillionCpu } = await priceBatch(batch);
    const dollars = cost.total;
    figures.push({
      what: `dollars per 10^9 samples, batches of ${batch.toLocaleString('en')}`,
      bar: `<= ${bar}`,
      measured: dollars.toFixed(2),
      isMet: dollars <= bar,
    });
    const cpu = perMillionCpu['storage-downsample'];
    if (batch === 2_000)
      figures.push({ what: 'both downsamplings: CPU-s per 1 M samples', bar: '<= 0.5', measured: cpu.toFixed(3), isMet: cpu <= 0.5 });
  }
  return figures;
}

async function measureTenfold(): Promise<Figure[]> {
  const { bars } = await measureGrowth((line) => console.error(line));
  return bars.map(({ what, most, measured, holds }) => ({ what, bar: `<= ${most} x`, measured: `${measured.toFixed(2)} x`, isMet: holds }));
}

async function measureBundle(): Promise<Figure[]> {
  const ingest = (await measureBundles()).find(({ name }) => name === 'ingest/http');
  if (!ingest) throw new Error('there is no function ingest/http');
  const megabytes = ingest.sizeBytes / 1e6;
  return [
    { what: 'ingest function, minified', bar: '<= 1.3 MB', measured: `${megabytes.toFixed(2)} MB`, isMet: megabytes <= 1.3 },
    { what: 'ingest function, import', bar: '<= 200 ms', measured: `${ingest.importMs.toFixed(0)} ms`, isMet: ingest.importMs <= 200 },
  ];
}

async function measureRuleSet(): Promise<Figure[]> {
  const { p50, prometheus } = measureAlone('rules');
  const what = '1,000 rules over 2,000 series x 24 h, an evaluation, p50';
  const seconds = `${p50.toFixed(2)} s CPU`;
  const figures = [{ what, bar: '<= 5 s CPU', measured: seconds, isMet: p50 <= 5 }];
  if (!prometheus) return figures;
  const isMet = p50 <= prometheus;
  return [...figures, { what, bar: '<= Prometheus', measured: `${seconds} (Prometheus ${prometheus.toFixed(2)})`, isMet }];
}

async function measureAlertStorm(): Promise<Figure[]> {
  return (['storm', 'posted'] as const).flatMap((section) => {
    // What is posted takes dispatching alone, in a heap as small as that of a function of 512 MB.
    const { total, peakMb } = measureAlone(section, section === 'posted' ? ['--max-old-space-size=256'] : []);
    const what = `100,000 alerts at once, ${section === 'storm' ? 'of a rule' : 'posted'}`;
    return [
      { what, bar: '<= 60 s CPU', measured: `${total.toFixed(1)} s`, isMet: total <= 60 },
      { what, bar: '<= 512 MB', measured: `${((peakMb * 2 ** 20) / 1e6).toFixed(0)} MB`, isMet: peakMb * 2 ** 20 <= 512e6 },
    ];
  });
}

async function measureAnomalies(): Promise<Figure[]> {
  const report = measureNab();
  if (!report) {
    console.log('(left out, since there is no corpus nab: the anomaly detector)');
    return [];
  }
  const { scores, updateUs, stateBytes } = report;
  const [standard, ...others] = Object.values(scores).map(({ frozen }) => frozen);
  const profiles = `low false positives ${others[0].toFixed(2)}, low false negatives ${others[1].toFixed(2)}`;
  return [
    { what: 'NAB, standard profile, frozen set', bar: '>= 66', measured: `${standard.toFixed(2)} (${profiles})`, isMet: standard >= 66 },
    { what: 'anomaly detector, an update', bar: '<= 20 us', measured: `${updateUs.toFixed(1)} us`, isMet: updateUs <= 20 },
    { what: 'anomaly detector, largest state', bar: '<= 4 KB', measured: `${stateBytes} bytes`, isMet: stateBytes <= 4_096 },
  ];
}

async function measureFlags(): Promise<Figure[]> {
  const { flagUs, bulkMs, engineHeavyUs } = measureFlagEvaluation();
  console.log(`(json-logic-engine, compiled: ${engineHeavyUs.toFixed(2)} us for the targeting-heavy flag)`);
  const perFlag = (bulkMs * 1_000) / 500;
  return [
    ...Object.entries(flagUs).map(([kind, us]) => ({
      what: `a flag evaluated, ${kind}`,
      bar: '<= 50 us',
      measured: `${us.toFixed(2)} us`,
      isMet: us <= 50,
    })),
    {
      what: '500 flags of all kinds, as JSON',
      bar: '<= 50 us a flag',
      measured: `${perFlag.toFixed(2)} us a flag (${bulkMs.toFixed(2)} ms)`,
      isMet: perFlag <= 50,
    },
  ];
}

async function measureBackups(): Promise<Figure[]> {
  const all: BackupRun[][] = [];
  for (let run = 1; run <= runs; run++) {
    console.error(`-- a folder of ${BACKUP_MB} MB backed up, run ${run} of ${runs}`);
    all.push(await compareBackups());
  }
  const of = (who: string, figure: (run: BackupRun) => number) =>
    median(all.map((programs) => figure(programs.find((each) => each.who === who) as BackupRun)));
  const beside = (what: string, most: number, unit: string, figure: (run: BackupRun) => number, other = of('restic', figure)): Figure => {
    const [ours, borg] = [of('quarterdeck', figure), of('borg', figure)];
    const told = `${ours.toFixed(1)} ${unit}; restic ${of('restic', figure).toFixed(1)}, borg ${borg.toFixed(1)}`;
    return { what, bar: `<= ${most} x`, measured: `${(ours / other).toFixed(2)} x (${told})`, isMet: ours <= most * other };
  };
  const size = (run: BackupRun) => run.repositoryBytes / 1e6;
  const peak = of('quarterdeck', ({ first, second, restore }) => Math.max(first.peakMb, second.peakMb, restore.peakMb));
  const puts = of('quarterdeck', ({ firstObjects }) => firstObjects / (BACKUP_MB / 1_000));
  const isEqual = all.flat().every((run) => run.isEqual);
  return [
    beside('first backup of 1 GB', 1.3, 'CPU-s', ({ first }) => first.cpuS),
    beside('second backup after 1 %: new bytes', 1, 'MB', ({ second }) => second.newBytes / 1e6),
    beside('second backup after 1 %: time', 1.5, 's', ({ second }) => second.wallS),
    beside('repository, beside the smaller', 1.02, 'MB', size, Math.min(of('restic', size), of('borg', size))),
    beside('restore of 1 GB', 1.3, 'CPU-s', ({ restore }) => restore.cpuS),
    { what: 'backup and restore, memory', bar: '<= 512 MB', measured: `${peak.toFixed(0)} MB`, isMet: peak <= 512 },
    {
      what: 'puts of a first backup, a GB',
      bar: '<= 150',
      measured: `${puts.toFixed(0)} ($${(puts * usEast1.blobPut.standard).toFixed(5)} on S3)`,
      isMet: puts <= 150,
    },
    { what: 'restored as it was, all three', bar: 'yes', measured: isEqual ? 'yes' : 'no', isMet: isEqual },
  ];
}

function median(list: readonly number[]): number {
  return [...list].sort((a, b) => a - b)[list.length >> 1];
}

const wanted = values.only?.split(',') ?? Object.keys(sections);
const unknown = wanted.filter((name) => !(name in sections));
if (unknown.length > 0 || !(runs >= 1)) {
  console.error(`usage: npm run bench [-- --runs N] [-- --only ${Object.keys(sections).join(',')}]`);
  process.exit(2);
}
console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0].model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB`);
const figures: Figure[] = [];
for (const name of wanted) figures.push(...(await sections[name]()));
console.log('\n| what | bar | measured | |\n|---|---|---|---|');
for (const { what, bar, measured, isMet } of figures) console.log(`| ${what} | ${bar} | ${measured} | ${isMet ? 'met' : '**missed**'} |`);
