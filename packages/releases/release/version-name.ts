/** What a version can be called: it is part of keys, goes to drivers, and is shown to people. */
export const VERSION_NAME = /^[\p{L}\p{N}\p{P}\p{S}]{1,200}$/u;
export const VERSION_RULE = 'must be 1 to 200 characters without blanks';

/** A commit's id, or nothing. */
export const COMMIT_ID = /^[0-9A-Za-z._-]{0,128}$/;
export const COMMIT_RULE = 'must be at most 128 letters, digits, dots, dashes and underscores';
