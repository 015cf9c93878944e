import { hasCode } from './file-errors.ts';

/** Extended attributes by path, no last link followed; values in base64. */
export interface ExtendedAttributes {
  read(path: string): { readonly [name: string]: string } | undefined;
  /** Makes those of ours be exactly these; says which could not be set, and why. */
  write(path: string, wanted: { readonly [name: string]: string }): readonly string[];
}

const NOT_SUPPORTED = /os error (?:95|38)\)/;

/** Those of this machine; undefined where the optional package is not installed. */
export async function loadExtendedAttributes(): Promise<ExtendedAttributes | undefined> {
  try {
    // biome-ignore lint/correctness/noUndeclaredDependencies: it is optional, and done without where it is missing.
    const { default: native } = await import('@napi-rs/xattr');
    return { read: (path) => readAll(native, path), write: (path, wanted) => writeAll(native, path, wanted) };
  } catch (error) {
    if (hasCode(error, 'ERR_MODULE_NOT_FOUND', 'MODULE_NOT_FOUND') || /native binding/i.test(String(error))) return undefined;
    throw error;
  }
}

type Native = Pick<typeof import('@napi-rs/xattr'), 'getAttributeSync' | 'listAttributesSync' | 'removeAttributeSync' | 'setAttributeSync'>;

function listNames(native: Native, path: string): readonly string[] {
  try {
    return native.listAttributesSync(path);
  } catch (error) {
    if (NOT_SUPPORTED.test(String(error))) return [];
    throw error;
  }
}

function readAll(native: Native, path: string): { readonly [name: string]: string } | undefined {
  const names = listNames(native, path);
  if (names.length === 0) return undefined;
  const found: { [name: string]: string } = {};
  for (const name of [...names].sort()) {
    const value = native.getAttributeSync(path, name);
    if (value) found[name] = value.toString('base64');
  }
  return found;
}

/** What the system itself gives to new files stays: labels of security modules. */
function isOurs(name: string): boolean {
  return name.startsWith('user.') || name.startsWith('system.posix_acl_');
}

function writeAll(native: Native, path: string, wanted: { readonly [name: string]: string }): readonly string[] {
  const faults: string[] = [];
  const attempt = (name: string, call: () => void) => {
    try {
      call();
    } catch (error) {
      faults.push(`the extended attribute ${name} could not be set: ${error instanceof Error ? error.message : error}`);
    }
  };
  for (const name of listNames(native, path)) {
    if (isOurs(name) && !Object.hasOwn(wanted, name)) attempt(name, () => native.removeAttributeSync(path, name));
  }
  for (const [name, value] of Object.entries(wanted)) {
    attempt(name, () => native.setAttributeSync(path, name, Buffer.from(value, 'base64')));
  }
  return faults;
}
