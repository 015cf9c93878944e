/** The name of a file that a restore is writing, and that one that was killed has left: never backed up, never restored. */
export function tempName(id: string): string {
  return `.quarterdeck-${id}.part`;
}

export function isTempName(name: string): boolean {
  return /^\.quarterdeck-[0-9a-f-]{16,36}\.part$/.test(name);
}
