import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Commands, ProcessSettings, Reply } from './commands.ts';

/** The process was killed before it answered: what it was told may be done, or half done, or not. */
export class KilledError extends Error {
  override readonly name = 'KilledError';
}

/** A process that does what it is told, and is started again when it has been killed. */
export interface ControlledProcess {
  /** Fails with KilledError where the process ends before it answers, and as the command did, with its `kind`, where that failed. */
  tell<K extends keyof Commands>(name: K, input: Commands[K]['input']): Promise<Commands[K]['output']>;
  /** kill -9, and a new one in its place: with the same skew, its memory gone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

interface Waiting {
  resolve(output: unknown): void;
  reject(error: Error): void;
}

/** Starts a process of that program; `tell` waits until it is ready. */
export function startProcess(program: string, settings: ProcessSettings): ControlledProcess {
  let starts = 0;
  let numbers = 0;
  let current = start();

  function start() {
    const waiting = new Map<number, Waiting>();
    const seeded = { ...settings, seed: settings.seed + 1_000 * starts++ };
    const child = fork(program, [JSON.stringify(seeded)], { serialization: 'advanced', execArgv: [], stdio: ['ignore', 2, 'pipe', 'ipc'] });
    let complaint = '';
    child.stderr?.on('data', (text) => {
      complaint += text;
    });
    const ready = new Promise((resolve, reject) => waiting.set(0, { resolve, reject }));
    ready.catch(() => undefined); // whoever tells it something hears of it
    child.on('message', (message) => {
      const { number, output, failure } = message as Reply;
      const command = waiting.get(number);
      waiting.delete(number);
      if (failure) command?.reject(Object.assign(new Error(failure.message), { kind: failure.kind }));
      else command?.resolve(output);
    });
    child.on('exit', (_, signal) => {
      const error = signal === 'SIGKILL' ? new KilledError('killed') : new Error(`a process of the test ended by itself: ${complaint}`);
      for (const command of waiting.values()) command.reject(error);
      waiting.clear();
    });
    return { child, waiting, ready };
  }

  return {
    async tell<K extends keyof Commands>(name: K, input: Commands[K]['input']) {
      const { child, waiting, ready } = current;
      await ready;
      const number = ++numbers;
      const answer = new Promise<unknown>((resolve, reject) => waiting.set(number, { resolve, reject }));
      if (child.exitCode !== null || child.signalCode !== null) throw new KilledError('killed');
      child.send({ number, name, input }, () => undefined); // where that fails the process has ended, which `exit` tells
      return (await answer) as Commands[K]['output'];
    },
    async kill() {
      await end(current.child, 'SIGKILL');
      current = start();
    },
    stop: () => end(current.child, 'SIGTERM'),
  };
}

async function end(child: ChildProcess, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}
