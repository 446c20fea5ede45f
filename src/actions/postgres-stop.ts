import { z } from 'zod'
import { done, notDone } from './contract.ts'
import { defineAction } from './define-action.ts'
import { reachOfFolder } from './reach.ts'
import { assertIdentity, serverParams } from './restored/server-of.ts'
import { dataDirectoryWord } from './servers/manual-server.ts'
import { namedServerParams, namesOneServerHere, serverHere } from './servers/named-server.ts'

const params = z
  .strictObject({
    ...serverParams,
    dataDirectory: serverParams.dataDirectory.optional(),
    ...namedServerParams,
    mode: z
      .enum(['smart', 'fast', 'immediate'])
      .describe('smart waits for sessions to end; fast ends them; immediate does without a checkpoint.')
      .default('fast'),
  })
  .refine(...namesOneServerHere)

/** Stops the server on a data directory of this machine. */
export const postgresStop = defineAction<z.infer<typeof params>>({
  kind: 'postgres.stop',
  description: 'Stops the PostgreSQL server on a data directory of this machine. A server that does not run is stopped already.',
  example: { dataDirectory: '/var/lib/postgresql/15/main' },
  effect: 'reversible',
  params,

  async probe(p, context, { signal }) {
    const server = await serverHere(p, context, signal)
    return (await server.running()) === undefined ? done() : notDone
  },

  async run(p, context, { signal }) {
    const server = await serverHere(p, context, signal)
    const running = await server.running()
    if (running === undefined) return { stopped: false }
    await assertIdentity(server, signal)
    await server.stop(p.mode, {}, signal)
    return { stopped: true, pid: running.pid }
  },

  reach: ({ dataDirectory }, sandbox) => (dataDirectory === undefined ? 'outside' : reachOfFolder(dataDirectory, sandbox)),

  manual: (p, catalog) => [`pg_ctl -D ${dataDirectoryWord(p, catalog)} -m ${p.mode} -w stop`],
})
