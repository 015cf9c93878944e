/** A group as a rule file has it. */
export interface BenchGroup {
  readonly name: string;
  readonly interval: string;
  readonly rules: readonly Readonly<Record<string, unknown>>[];
}

type Make = (i: number) => { readonly expr: string; readonly for?: string };

const JOBS = ['api', 'web', 'worker', 'node'];

/** What people alert on with the metrics of the benchmark kit; `i` moves thresholds, so that no two rules are the same. */
const alerts: readonly Make[] = [
  (i) => ({ expr: `100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[5m]))) > ${50 + (i % 50)}`, for: '10m' }),
  (i) => ({ expr: `node_load5 > ${4 + (i % 40) / 10}`, for: '5m' }),
  (i) => ({ expr: `1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes > 0.${10 + (i % 89)}`, for: '5m' }),
  (i) => ({ expr: `node_filesystem_avail_bytes{mountpoint="/var"} / node_filesystem_size_bytes < 0.${10 + (i % 89)}` }),
  (i) => ({
    expr: `sum by (job, handler) (rate(http_requests_total{status=~"5.."}[5m])) / sum by (job, handler) (rate(http_requests_total[5m])) > 0.0${1 + (i % 9)}`,
    for: '2m',
  }),
  (i) => ({
    expr: `histogram_quantile(0.99, sum by (le, handler) (rate(http_request_duration_seconds_bucket{job="${JOBS[i % 3]}"}[5m]))) > ${1 + i / 100}`,
  }),
  (i) => ({ expr: `predict_linear(node_filesystem_avail_bytes[1h], ${3600 * (1 + (i % 24))}) < 0`, for: '30m' }),
  (i) => ({ expr: `up{job="${JOBS[i % 4]}"} == 0`, for: `${1 + (i % 9)}m` }),
  (i) => ({ expr: `rate(node_network_receive_bytes_total{device="eth${i % 2}"}[5m]) > ${1e6 * (1 + (i % 90))}` }),
  (i) => ({ expr: `max_over_time(node_cpu_usage[30m]) > 99.${i}`, for: '15m' }),
  (i) => ({ expr: `avg_over_time(node_hwmon_temp_celsius[10m]) > ${60 + (i % 30)}` }),
  (i) => ({ expr: `changes(process_start_time_seconds[1h]) > ${2 + (i % 7)}` }),
  (i) => ({ expr: `absent(up{job="${JOBS[i % 4]}"}) or absent(node_load1{env="prod"})`, for: `${1 + i}s` }),
];
/** One in a hundred looks back over the whole day. */
const dayLong: Make = (i) => ({ expr: `sum by (job) (increase(http_requests_total{status="500"}[1d])) > ${1e4 * (1 + i)}` });
const records: readonly ((i: number) => string)[] = [
  () => 'sum by (instance, mode) (rate(node_cpu_seconds_total[5m]))',
  () => 'sum by (job, status) (rate(http_requests_total[5m]))',
  () => 'histogram_quantile(0.5, sum by (job, le) (rate(http_request_duration_seconds_bucket[5m])))',
  () => 'max by (job) (process_resident_memory_bytes)',
  () => 'sum without (device) (rate(node_disk_read_bytes_total[5m]) + rate(node_disk_written_bytes_total[5m]))',
];

/** 1,000 rules in 20 groups, three of ten of them recording. */
export function makeRuleSet(): BenchGroup[] {
  return Array.from({ length: 20 }, (_, group) => ({
    name: `bench-${group}`,
    interval: '1m',
    rules: Array.from({ length: 50 }, (_, place) => makeRule(group * 50 + place)),
  }));
}

function makeRule(i: number): Record<string, unknown> {
  const labels = { severity: i % 2 === 0 ? 'page' : 'ticket' };
  if (i % 10 < 3) return { record: `bench:r${i}`, expr: records[i % records.length]?.(i) };
  const { expr, ...rest } = i % 100 === 99 ? dayLong(i) : (alerts[i % alerts.length] as Make)(i);
  return { alert: `Bench${i}`, expr, ...rest, labels, annotations: { summary: '{{ $labels.instance }} is at {{ $value | humanize }}' } };
}
