import { z } from 'zod'

/** Those that end a process, unless it is prepared for them. */
export const killSignal = z
  .enum(['SIGKILL', 'SIGTERM', 'SIGINT', 'SIGQUIT', 'SIGABRT', 'SIGSEGV', 'SIGHUP'])
  .describe('SIGKILL gives the process no chance to say anything; SIGTERM asks it to end.')

export type KillSignal = z.infer<typeof killSignal>
