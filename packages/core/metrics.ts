/** Values of labels by name. */
export type MetricLabels = Readonly<Record<string, string>>;

/** One sample as it is exposed: a histogram gives several. */
export interface MetricSample {
  readonly name: string;
  readonly labels: MetricLabels;
  readonly value: number;
}

export type MetricType = 'counter' | 'gauge' | 'histogram';

/** A metric and its samples as they are now. */
export interface MetricFamily {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly samples: readonly MetricSample[];
}

export interface Counter {
  add(labels: MetricLabels, by?: number): void;
}

export interface Gauge {
  set(labels: MetricLabels, value: number): void;
}

export interface Histogram {
  observe(labels: MetricLabels, value: number): void;
}

/** The figures of one process about itself. */
export interface MetricRegistry {
  counter(name: string, help: string): Counter;
  gauge(name: string, help: string): Gauge;
  /** Classic buckets: `bounds` ascending, +Inf is added. */
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
  /** Called before each collection, to set gauges. */
  onCollect(update: () => void): void;
  collect(): MetricFamily[];
}

/** A metric takes this many label sets; further ones are counted together under `other`, so that no sender can grow us. */
const MAX_LABEL_SETS = 1_000;

interface Cell {
  readonly labels: MetricLabels;
  value: number;
  readonly buckets: Float64Array;
  count: number;
}

interface Metric {
  readonly name: string;
  readonly type: MetricType;
  readonly help: string;
  readonly bounds: readonly number[];
  readonly cells: Map<string, Cell>;
}

export function createMetricRegistry(): MetricRegistry {
  const metrics: Metric[] = [];
  const updates: (() => void)[] = [];
  const add = (name: string, type: MetricType, help: string, bounds: readonly number[] = []): Metric => {
    const metric = { name, type, help, bounds, cells: new Map<string, Cell>() };
    metrics.push(metric);
    return metric;
  };
  return {
    counter(name, help) {
      const metric = add(name, 'counter', help);
      return {
        add(labels, by = 1) {
          cellOf(metric, labels).value += by;
        },
      };
    },
    gauge(name, help) {
      const metric = add(name, 'gauge', help);
      return {
        set(labels, value) {
          cellOf(metric, labels).value = value;
        },
      };
    },
    histogram(name, help, bounds) {
      const metric = add(name, 'histogram', help, bounds);
      return { observe: (labels, value) => observe(metric, cellOf(metric, labels), value) };
    },
    onCollect: (update) => void updates.push(update),
    collect() {
      for (const update of updates) update();
      return metrics.map((metric) => ({ name: metric.name, type: metric.type, help: metric.help, samples: samplesOf(metric) }));
    },
  };
}

function cellOf(metric: Metric, labels: MetricLabels): Cell {
  const key = JSON.stringify(Object.values(labels));
  const known = metric.cells.get(key);
  if (known) return known;
  if (metric.cells.size >= MAX_LABEL_SETS) {
    const other = Object.fromEntries(Object.keys(labels).map((name) => [name, 'other']));
    return metric.cells.get(JSON.stringify(Object.values(other))) ?? addCell(metric, other);
  }
  return addCell(metric, labels);
}

function addCell(metric: Metric, labels: MetricLabels): Cell {
  const cell = { labels, value: 0, buckets: new Float64Array(metric.bounds.length), count: 0 };
  metric.cells.set(JSON.stringify(Object.values(labels)), cell);
  return cell;
}

function observe(metric: Metric, cell: Cell, value: number): void {
  cell.value += value;
  cell.count++;
  for (let i = 0; i < metric.bounds.length; i++) if (value <= metric.bounds[i]) cell.buckets[i]++;
}

function samplesOf({ name, type, bounds, cells }: Metric): MetricSample[] {
  return [...cells.values()].flatMap(({ labels, value, buckets, count }): MetricSample[] => {
    if (type !== 'histogram') return [{ name, labels, value }];
    const bucket = (le: string, total: number) => ({ name: `${name}_bucket`, labels: { ...labels, le }, value: total });
    return [
      ...bounds.map((bound, i) => bucket(String(bound), buckets[i])),
      bucket('+Inf', count),
      { name: `${name}_sum`, labels, value },
      { name: `${name}_count`, labels, value: count },
    ];
  });
}

/** The families in Prometheus' text format 0.0.4. */
export function formatMetrics(families: readonly MetricFamily[]): string {
  const lines: string[] = [];
  for (const { name, type, help, samples } of families) {
    lines.push(`# HELP ${name} ${help.replace(/\\/g, '\\\\').replace(/\n/g, '\\n')}`, `# TYPE ${name} ${type}`);
    for (const sample of samples) lines.push(`${sample.name}${formatLabels(sample.labels)} ${formatValue(sample.value)}`);
  }
  return `${lines.join('\n')}\n`;
}

function formatLabels(labels: MetricLabels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replace(/\\/g, '\\\\').replace(/\n/g, '\\n').replace(/"/g, '\\"')}"`,
  );
  return pairs.length > 0 ? `{${pairs.join(',')}}` : '';
}

function formatValue(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf';
  return value === Number.NEGATIVE_INFINITY ? '-Inf' : String(value);
}
