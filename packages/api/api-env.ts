import type { Context } from 'hono';

/** What middleware leaves for routes. */
export interface ApiEnv {
  Variables: {
    /** The tenant that the request may act for, once its scope was checked. */
    tenant: string;
    /** Named in errors and answered as x-request-id. */
    requestId: string;
  };
}

export type ApiContext = Context<ApiEnv>;
