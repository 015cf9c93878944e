import { readdir } from 'node:fs/promises';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { MetricRegistry } from '#core/metrics.ts';

/** Adds figures of this process to the registry, in the names that Prometheus' client libraries use. */
export function addProcessMetrics(registry: MetricRegistry): void {
  const cpu = registry.counter('process_cpu_seconds_total', 'User and system CPU time spent, in seconds.');
  const resident = registry.gauge('process_resident_memory_bytes', 'Resident memory in bytes.');
  const start = registry.gauge('process_start_time_seconds', 'Start of the process, in seconds since the epoch.');
  const descriptors = registry.gauge('process_open_fds', 'Open file descriptors.');
  const heap = registry.gauge('nodejs_heap_size_used_bytes', 'Used heap of Node in bytes.');
  const external = registry.gauge('nodejs_external_memory_bytes', 'Memory of Node outside the heap in bytes.');
  const lag = registry.gauge('nodejs_eventloop_lag_seconds', 'Delay of the event loop since the last collection.');
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  start.set({}, Date.now() / 1_000 - process.uptime());
  let openFiles: number | undefined;
  const countFiles = async () => {
    openFiles = (await readdir('/proc/self/fd').catch(() => undefined))?.length;
  };
  void countFiles();
  let counted = 0;
  registry.onCollect(() => {
    const usage = process.cpuUsage();
    const seconds = (usage.user + usage.system) / 1e6;
    const memory = process.memoryUsage();
    cpu.add({}, seconds - counted);
    counted = seconds;
    resident.set({}, memory.rss);
    heap.set({}, memory.heapUsed);
    external.set({}, memory.external);
    lag.set({ quantile: '0.5' }, toSeconds(delay.percentile(50)));
    lag.set({ quantile: '0.99' }, toSeconds(delay.percentile(99)));
    delay.reset();
    if (openFiles !== undefined) descriptors.set({}, openFiles);
    void countFiles();
  });
}

function toSeconds(nanoseconds: number): number {
  return Number.isFinite(nanoseconds) ? nanoseconds / 1e9 : 0;
}
