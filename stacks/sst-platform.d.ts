// What SST's own sources import of packages whose types they bring along only where they are built.

declare module 'archiver';

declare module 'bun' {
  export type Shell = unknown;
}
