import { OpsError } from '#core/errors.ts';

/** What a name of a source, a target or a repository stands for. */
export type Place =
  | { readonly type: 'folder'; readonly path: string }
  | { readonly type: 's3'; readonly bucket: string; readonly prefix: string }
  | { readonly type: 'dynamodb'; readonly table: string }
  | { readonly type: 'quarterdeck'; readonly path: string };

const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const TABLE = /^[A-Za-z0-9_.-]{3,255}$/;
const ACCEPTED = 'takes a folder, s3://bucket/prefix, dynamodb:TABLE, or quarterdeck: for itself';

/** Reads a name; what has no known scheme is a folder. `input` for anything else. */
export function parsePlace(name: string): Place {
  if (name === '' || name.includes('\0')) throw new OpsError('input', `${JSON.stringify(name)}: ${ACCEPTED}`);
  const [, scheme, rest = ''] = /^([a-z][a-z0-9]+):(.*)$/s.exec(name) ?? [];
  switch (scheme) {
    case undefined:
      return { type: 'folder', path: name };
    case 's3':
      return parseS3(name, rest);
    case 'dynamodb':
      if (TABLE.test(rest)) return { type: 'dynamodb', table: rest };
      throw new OpsError('input', `${JSON.stringify(name)}: takes dynamodb: and the name of a table`);
    case 'quarterdeck':
      return { type: 'quarterdeck', path: rest };
    default:
      throw new OpsError('input', `${JSON.stringify(name)}: ${ACCEPTED}`, {
        hint: 'A folder with a colon in its name is written as ./name.',
      });
  }
}

function parseS3(name: string, rest: string): Place {
  const [bucket = '', ...parts] = rest.replace(/^\/\//, '').split('/');
  const prefix = parts.join('/').replace(/\/+$/, '');
  const isPath = prefix === '' || prefix.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  if (rest.startsWith('//') && BUCKET.test(bucket) && isPath) return { type: 's3', bucket, prefix };
  throw new OpsError('input', `${JSON.stringify(name)}: takes s3://bucket or s3://bucket/prefix`);
}
