import { statfsSync } from 'node:fs';

/** Magic numbers of linux/magic.h whose files are views of the kernel: reading them never ends, has effects, or cannot be restored. */
const magics = new Map<number, string>([
  [0x9fa0, 'proc'],
  [0x62656572, 'sysfs'],
  [0x63677270, 'cgroup2'],
  [0x27e0eb, 'cgroup'],
  [0x1cd1, 'devpts'],
  [0x64626720, 'debugfs'],
  [0x74726163, 'tracefs'],
  [0x73636673, 'securityfs'],
  [0x6165676c, 'pstore'],
  [0xde5e81e4, 'efivarfs'],
  [0xcafe4a11, 'bpf'],
  [0x19800202, 'mqueue'],
  [0x62656570, 'configfs'],
  [0x65735543, 'fusectl'],
  [0x42494e4d, 'binfmt_misc'],
  [0x187, 'autofs'],
  [0x6e736673, 'nsfs'],
  [0xf97cff8c, 'selinuxfs'],
  [0x67596969, 'rpc_pipefs'],
  [0x50495045, 'pipefs'],
]);

/** The name of the kernel's own file system that a path lies on; undefined for one that holds files. */
export function pseudoFileSystem(path: string): string | undefined {
  // The magic is a signed word to some kernels and an unsigned one to others.
  return magics.get(statfsSync(path).type >>> 0);
}
