import type { MetricFamily, MetricSample, MetricType } from '#core/metrics.ts';

// Parsers of the text files under /proc, into node_exporter's metrics. Each takes a file's text and knows nothing of files.

/** Ticks of /proc/stat a second: USER_HZ, which Linux has fixed at 100 for programs. */
const TICKS_PER_S = 100;
const SECTOR_BYTES = 512;
const CPU_MODES = ['user', 'nice', 'system', 'idle', 'iowait', 'irq', 'softirq', 'steal'] as const;

export function family(name: string, type: MetricType, help: string, samples: readonly Omit<MetricSample, 'name'>[]): MetricFamily {
  return { name, type, help, samples: samples.map((sample) => ({ ...sample, name })) };
}

/** /proc/stat: seconds by CPU and mode, boot time, context switches, interrupts, forks, processes. */
export function parseStat(text: string): MetricFamily[] {
  const cpu: Omit<MetricSample, 'name'>[] = [];
  const families: MetricFamily[] = [];
  const single: Record<string, [name: string, type: MetricType, help: string]> = {
    btime: ['node_boot_time_seconds', 'gauge', 'Unix time of boot.'],
    ctxt: ['node_context_switches_total', 'counter', 'Context switches.'],
    intr: ['node_intr_total', 'counter', 'Interrupts served.'],
    processes: ['node_forks_total', 'counter', 'Forks.'],
    procs_running: ['node_procs_running', 'gauge', 'Processes that can run.'],
    procs_blocked: ['node_procs_blocked', 'gauge', 'Processes that wait for input or output.'],
  };
  for (const line of text.split('\n')) {
    const [key, ...fields] = line.split(/\s+/);
    const number = /^cpu(\d+)$/.exec(key)?.[1];
    if (number !== undefined) {
      for (const [i, mode] of CPU_MODES.entries()) cpu.push({ labels: { cpu: number, mode }, value: Number(fields[i] ?? 0) / TICKS_PER_S });
    } else if (Object.hasOwn(single, key)) {
      const [name, type, help] = single[key];
      families.push(family(name, type, help, [{ labels: {}, value: Number(fields[0]) }]));
    }
  }
  return [family('node_cpu_seconds_total', 'counter', 'Seconds the CPUs spent in each mode.', cpu), ...families];
}

/** /proc/meminfo: one gauge a line, in bytes where the kernel says kB. */
export function parseMeminfo(text: string): MetricFamily[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([^:]+):\s+(\d+)( kB)?$/.exec(line);
    if (!match) return [];
    const [, field, digits, unit] = match;
    const name = `node_memory_${field.replace(/\((.*)\)/, '_$1').replace(/[^A-Za-z0-9_]/g, '_')}${unit ? '_bytes' : ''}`;
    return [family(name, 'gauge', `Memory information field ${field}.`, [{ labels: {}, value: Number(digits) * (unit ? 1024 : 1) }])];
  });
}

/** /proc/loadavg. */
export function parseLoadavg(text: string): MetricFamily[] {
  const [one, five, fifteen] = text.split(/\s+/).map(Number);
  const load = (minutes: string, value: number) =>
    family(`node_load${minutes}`, 'gauge', `${minutes}m load average.`, [{ labels: {}, value }]);
  return [load('1', one), load('5', five), load('15', fifteen)];
}

const asIs = (value: number) => value;
const fromSectors = (value: number) => value * SECTOR_BYTES;
const fromMs = (value: number) => value / 1_000;

/** Columns of /proc/diskstats behind the name, and how to get the metric's unit. */
const DISK_COLUMNS: readonly (readonly [name: string, type: MetricType, help: string, convert: (value: number) => number])[] = [
  ['node_disk_reads_completed_total', 'counter', 'Reads completed.', asIs],
  ['node_disk_reads_merged_total', 'counter', 'Reads merged.', asIs],
  ['node_disk_read_bytes_total', 'counter', 'Bytes read.', fromSectors],
  ['node_disk_read_time_seconds_total', 'counter', 'Seconds spent by all reads.', fromMs],
  ['node_disk_writes_completed_total', 'counter', 'Writes completed.', asIs],
  ['node_disk_writes_merged_total', 'counter', 'Writes merged.', asIs],
  ['node_disk_written_bytes_total', 'counter', 'Bytes written.', fromSectors],
  ['node_disk_write_time_seconds_total', 'counter', 'Seconds spent by all writes.', fromMs],
  ['node_disk_io_now', 'gauge', 'Reads and writes under way.', asIs],
  ['node_disk_io_time_seconds_total', 'counter', 'Seconds with any read or write under way.', fromMs],
  ['node_disk_io_time_weighted_seconds_total', 'counter', 'Seconds under way, weighted by their number.', fromMs],
];

/** /proc/diskstats, without RAM and loop devices and partitions, as node_exporter leaves them out. */
export function parseDiskstats(text: string): MetricFamily[] {
  const disks = text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , device]) => device && !/^(z?ram|loop|fd|(h|s|v|xv)d[a-z]\d+|nvme\d+n\d+p\d+)/.test(device));
  return DISK_COLUMNS.map(([name, type, help, convert], i) =>
    family(
      name,
      type,
      help,
      disks.map((fields) => ({ labels: { device: fields[2] }, value: convert(Number(fields[3 + i])) })),
    ),
  );
}

const NETWORK_COLUMNS = ['bytes', 'packets', 'errs', 'drop', 'fifo', 'frame', 'compressed', 'multicast'] as const;
const TRANSMIT_COLUMNS = ['bytes', 'packets', 'errs', 'drop', 'fifo', 'colls', 'carrier', 'compressed'] as const;

/** /proc/net/dev. */
export function parseNetDev(text: string): MetricFamily[] {
  const devices = text.split('\n').flatMap((line) => {
    const match = /^\s*([^\s:]+):\s*(.*)$/.exec(line);
    return match ? [{ device: match[1], fields: match[2].split(/\s+/).map(Number) }] : [];
  });
  const direction = (name: 'receive' | 'transmit', columns: readonly string[], offset: number) =>
    columns.map((column, i) =>
      family(
        `node_network_${name}_${column}_total`,
        'counter',
        `Network device statistic ${name}_${column}.`,
        devices.map(({ device, fields }) => ({ labels: { device }, value: fields[offset + i] ?? 0 })),
      ),
    );
  return [...direction('receive', NETWORK_COLUMNS, 0), ...direction('transmit', TRANSMIT_COLUMNS, NETWORK_COLUMNS.length)];
}

/** /proc/vmstat: the fields that node_exporter takes. */
export function parseVmstat(text: string): MetricFamily[] {
  return text.split('\n').flatMap((line) => {
    const match = /^((?:oom_kill|pgpg|pswp|pg.*fault)\w*) (\d+)$/.exec(line);
    return match
      ? [family(`node_vmstat_${match[1]}`, 'counter', `/proc/vmstat field ${match[1]}.`, [{ labels: {}, value: Number(match[2]) }])]
      : [];
  });
}

/** /proc/sys/fs/file-nr. */
export function parseFileNr(text: string): MetricFamily[] {
  const [allocated, , maximum] = text.trim().split(/\s+/).map(Number);
  return [
    family('node_filefd_allocated', 'gauge', 'File descriptors in use.', [{ labels: {}, value: allocated }]),
    family('node_filefd_maximum', 'gauge', 'File descriptors at most.', [{ labels: {}, value: maximum }]),
  ];
}

export interface Mount {
  readonly device: string;
  readonly mountpoint: string;
  readonly fstype: string;
}

const REAL_FILESYSTEMS = /^(ext[234]|xfs|btrfs|zfs|f2fs|vfat|ntfs3?|overlay|nfs4?|fuseblk|bcachefs)$/;

/** /proc/mounts: those that store something, one a device. */
export function parseMounts(text: string): Mount[] {
  const byDevice = new Map<string, Mount>();
  for (const line of text.split('\n')) {
    const [device, mountpoint, fstype] = line
      .split(' ')
      .map((field) => field.replace(/\\(\d{3})/g, (_, octal) => String.fromCharCode(Number.parseInt(octal, 8))));
    if (fstype && REAL_FILESYSTEMS.test(fstype) && !byDevice.has(device)) byDevice.set(device, { device, mountpoint, fstype });
  }
  return [...byDevice.values()];
}
