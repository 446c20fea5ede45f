import { z } from 'zod'
import { done, notDone } from './contract.ts'
import { defineAction } from './define-action.ts'
import { reachOfFolder } from './reach.ts'
import { assertIdentity, serverOn, serverParams } from './restored/server-of.ts'
import { quote } from './shell.ts'

const params = z.strictObject({
  ...serverParams,
  mode: z
    .enum(['smart', 'fast', 'immediate'])
    .describe('smart waits for sessions to end; fast ends them; immediate does without a checkpoint.')
    .default('fast'),
})

/** Stops the server on a data directory of this machine. */
export const postgresStop = defineAction<z.infer<typeof params>>({
  kind: 'postgres.stop',
  description: 'Stops the PostgreSQL server on a data directory of this machine. A server that does not run is stopped already.',
  example: { dataDirectory: '/var/lib/postgresql/15/main' },
  effect: 'reversible',
  params,

  async probe(p, context) {
    const server = await serverOn(p, context)
    return (await server.running()) === undefined ? done() : notDone
  },

  async run(p, context, { signal }) {
    const server = await serverOn(p, context)
    const running = await server.running()
    if (running === undefined) return { stopped: false }
    await assertIdentity(server, signal)
    await server.stop(p.mode, {}, signal)
    return { stopped: true, pid: running.pid }
  },

  reach: ({ dataDirectory }, sandbox) => reachOfFolder(dataDirectory, sandbox),

  manual: ({ dataDirectory, mode }) => [`pg_ctl -D ${quote(dataDirectory)} -m ${mode} -w stop`],
})
