import type { AwsNeeds } from './aws-deps.ts';

/** The need of those that start the next function by an event. */
export const publishing: AwsNeeds = { bus: async (busName) => (await import('./aws-bus.ts')).openAwsBus(busName) };
