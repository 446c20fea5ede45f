/** `done`: the step is done, go on. `not-done`: it is not, run it again (or, when the run ends, forget it). `stop`: end the run. */
export const decisions = ['done', 'not-done', 'stop'] as const
export type Decision = (typeof decisions)[number]
