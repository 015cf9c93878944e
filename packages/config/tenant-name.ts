/** What a tenant may be called: it is part of object keys and of URLs. */
export const tenantName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;

export const tenantNameRule = 'a tenant is 1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first';
