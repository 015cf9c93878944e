import { describe, expect, it } from 'vitest';
import { readHostMetrics } from '#agent/host-metrics.ts';
import {
  parseDiskstats,
  parseFileNr,
  parseLoadavg,
  parseMeminfo,
  parseMounts,
  parseNetDev,
  parseStat,
  parseVmstat,
} from '#agent/proc-text.ts';
import type { MetricFamily } from '#core/metrics.ts';
import { formatMetrics } from '#core/metrics.ts';

/** The exposed lines of some families, comments left out. */
function lines(families: MetricFamily[]): string[] {
  return formatMetrics(families)
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
}

describe('files of /proc', () => {
  it('stat gives seconds by CPU and mode', () => {
    const found = lines(parseStat('cpu  9 9 9\ncpu0 100 0 50 1000 5 0 1 2 0 0\nintr 77 1 2\nctxt 12\nbtime 1700000000\nprocs_running 3\n'));
    expect(found).toContain('node_cpu_seconds_total{cpu="0",mode="user"} 1');
    expect(found).toContain('node_cpu_seconds_total{cpu="0",mode="steal"} 0.02');
    expect(found).toContain('node_boot_time_seconds 1700000000');
    expect(found).toContain('node_intr_total 77');
    expect(found.filter((line) => line.includes('cpu='))).toHaveLength(8);
  });

  it('meminfo gives bytes, and plain numbers where the kernel says no unit', () => {
    expect(lines(parseMeminfo('MemTotal:       16 kB\nActive(anon):   2 kB\nHugePages_Total:       0\n'))).toEqual([
      'node_memory_MemTotal_bytes 16384',
      'node_memory_Active_anon_bytes 2048',
      'node_memory_HugePages_Total 0',
    ]);
  });

  it('loadavg gives three gauges', () => {
    expect(lines(parseLoadavg('0.10 0.20 1.50 1/234 5678\n'))).toEqual(['node_load1 0.1', 'node_load5 0.2', 'node_load15 1.5']);
  });

  it('diskstats leaves out partitions and loops, and turns sectors into bytes', () => {
    const found = lines(
      parseDiskstats('   8 0 sda 10 1 20 3 40 5 60 7 0 9 11\n   8 1 sda1 1 1 1 1 1 1 1 1 1 1 1\n   7 0 loop0 1 1 1 1 1 1 1 1 1 1 1\n'),
    );
    expect(found).toContain('node_disk_read_bytes_total{device="sda"} 10240');
    expect(found).toContain('node_disk_io_time_seconds_total{device="sda"} 0.009');
    expect(found.every((line) => line.includes('"sda"'))).toBe(true);
  });

  it('net/dev gives both directions', () => {
    const text = 'Inter-|   Receive  |  Transmit\n face |bytes packets|bytes\n    lo: 100 2 0 0 0 0 0 0 200 4 1 0 0 0 0 0\n';
    expect(lines(parseNetDev(text))).toEqual(
      expect.arrayContaining(['node_network_receive_bytes_total{device="lo"} 100', 'node_network_transmit_errs_total{device="lo"} 1']),
    );
  });

  it('vmstat and file-nr give what node_exporter takes of them', () => {
    expect(lines(parseVmstat('nr_free_pages 1\npgpgin 5\noom_kill 0\n'))).toEqual(['node_vmstat_pgpgin 5', 'node_vmstat_oom_kill 0']);
    expect(lines(parseFileNr('1024\t0\t65536\n'))).toEqual(['node_filefd_allocated 1024', 'node_filefd_maximum 65536']);
  });

  it('mounts are those that store something, once a device', () => {
    const text = 'proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw 0 0\n/dev/sda1 /var\\040x ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n';
    expect(parseMounts(text)).toEqual([{ device: '/dev/sda1', mountpoint: '/', fstype: 'ext4' }]);
  });

  it('whatever the text, nothing throws', () => {
    for (const parse of [parseStat, parseMeminfo, parseLoadavg, parseDiskstats, parseNetDev, parseVmstat, parseFileNr, parseMounts]) {
      for (const text of ['', '\n', 'x', ':', ' : :', 'cpu0', 'a b c d e f']) expect(() => parse(text)).not.toThrow();
    }
  });
});

describe('this host', () => {
  it('tells its CPU, memory, load and time, with numbers only', async () => {
    const families = await readHostMetrics(1_000);
    const names = families.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining([
        'node_cpu_seconds_total',
        'node_memory_MemTotal_bytes',
        'node_load1',
        'node_time_seconds',
        'node_uname_info',
      ]),
    );
    expect(families.flatMap(({ samples }) => samples).every(({ value }) => Number.isFinite(value))).toBe(true);
  });
});
