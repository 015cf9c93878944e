import { readFile, statfs } from 'node:fs/promises';
import os from 'node:os';
import type { MetricFamily } from '#core/metrics.ts';
import {
  family,
  parseDiskstats,
  parseFileNr,
  parseLoadavg,
  parseMeminfo,
  parseMounts,
  parseNetDev,
  parseStat,
  parseVmstat,
} from './proc-text.ts';

const FILES: readonly (readonly [path: string, parse: (text: string) => MetricFamily[]])[] = [
  ['/proc/stat', parseStat],
  ['/proc/meminfo', parseMeminfo],
  ['/proc/loadavg', parseLoadavg],
  ['/proc/diskstats', parseDiskstats],
  ['/proc/net/dev', parseNetDev],
  ['/proc/vmstat', parseVmstat],
  ['/proc/sys/fs/file-nr', parseFileNr],
];

/** This host in node_exporter's names. What a system does not have is left out; without /proc there are only CPU, memory and load. */
export async function readHostMetrics(nowMs: number): Promise<MetricFamily[]> {
  const read = await Promise.all(FILES.map(async ([path, parse]) => parse((await readText(path)) ?? '')));
  const families = read.flat().filter(({ samples }) => samples.length > 0 && samples.every(({ value }) => !Number.isNaN(value)));
  const uname = { sysname: os.type(), release: os.release(), version: os.version(), machine: os.machine(), nodename: os.hostname() };
  return [
    ...(families.some(({ name }) => name === 'node_cpu_seconds_total') ? families : portableMetrics()),
    ...(await filesystemMetrics()),
    family('node_time_seconds', 'gauge', 'System time in seconds since the epoch.', [{ labels: {}, value: nowMs / 1_000 }]),
    family('node_uname_info', 'gauge', 'The operating system.', [{ labels: uname, value: 1 }]),
  ];
}

async function readText(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function filesystemMetrics(): Promise<MetricFamily[]> {
  const mounts = parseMounts((await readText('/proc/mounts')) ?? '');
  const stats = await Promise.all(
    mounts.map(async (mount) => {
      const found = await statfs(mount.mountpoint).catch(() => undefined);
      return found ? [{ labels: { ...mount }, found }] : [];
    }),
  );
  const gauge = (what: 'size' | 'free' | 'avail', blocks: 'blocks' | 'bfree' | 'bavail') =>
    family(
      `node_filesystem_${what}_bytes`,
      'gauge',
      `Filesystem ${what} in bytes.`,
      stats.flat().map(({ labels, found }) => ({ labels, value: found[blocks] * found.bsize })),
    );
  return [gauge('size', 'blocks'), gauge('free', 'bfree'), gauge('avail', 'bavail')].filter(({ samples }) => samples.length > 0);
}

/** What every system tells through Node. */
function portableMetrics(): MetricFamily[] {
  const cpu = os.cpus().flatMap(({ times }, i) =>
    Object.entries({ user: times.user, nice: times.nice, system: times.sys, idle: times.idle, irq: times.irq }).map(([mode, ms]) => ({
      labels: { cpu: String(i), mode },
      value: ms / 1_000,
    })),
  );
  const [one, five, fifteen] = os.loadavg();
  const gauge = (name: string, help: string, value: number) => family(name, 'gauge', help, [{ labels: {}, value }]);
  return [
    family('node_cpu_seconds_total', 'counter', 'Seconds the CPUs spent in each mode.', cpu),
    gauge('node_memory_MemTotal_bytes', 'Memory.', os.totalmem()),
    gauge('node_memory_MemFree_bytes', 'Free memory.', os.freemem()),
    gauge('node_load1', '1m load average.', one),
    gauge('node_load5', '5m load average.', five),
    gauge('node_load15', '15m load average.', fifteen),
    gauge('node_boot_time_seconds', 'Unix time of boot.', Date.now() / 1_000 - os.uptime()),
  ];
}
