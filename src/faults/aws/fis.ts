import { z } from 'zod'
import { AwsSession, openRestService, orMissing, type AwsTarget } from '../../aws/index.ts'
import { HoldfastError } from '../../kernel/index.ts'
import type { TraceContext } from '../contract.ts'
import { faultTag } from './tag.ts'

const template = z.object({
  id: z.string(),
  description: z.string().default(''),
  actions: z.record(z.string(), z.object({ actionId: z.string(), targets: z.record(z.string(), z.string()).optional() })),
  stopConditions: z.array(z.object({ source: z.string() })).default([]),
  lastUpdateTime: z.number(),
})

/** What of an experiment template (API reference, ExperimentTemplate) is looked at. */
export type Template = z.infer<typeof template>

const experiment = z.object({
  id: z.string(),
  /** pending, initiating, running, completed, stopping, stopped, failed or cancelled. */
  state: z.object({ status: z.string(), reason: z.string().optional() }),
  tags: z.record(z.string(), z.string()).default({}),
})

export type Experiment = z.infer<typeof experiment>

export interface Fis {
  /** Undefined when there is none. */
  template(id: string): Promise<Template | undefined>
  /** Tagged with the injection, which is also what makes a second request for it none. */
  start(template: string): Promise<Experiment>
  /** That very injection’s; undefined when there is none, or it does not show yet. */
  find(template: string): Promise<Experiment | undefined>
  read(id: string): Promise<Experiment | undefined>
  /** Of one that has ended, changes nothing. */
  stop(id: string): Promise<void>
}

/** AWS Fault Injection Service in a region, as one injection sees it. */
export function openFis(target: AwsTarget, context: TraceContext, signal: AbortSignal): Fis {
  const session = new AwsSession(target, context, signal)
  const service = openRestService(session, 'fis')
  const call = async <T>(permission: string, schema: z.ZodType<T>, ...request: Parameters<typeof service.send>): Promise<T> => {
    const answer = schema.safeParse(await session.call(`fis:${permission}`, service.send(...request)))
    if (answer.success) return answer.data
    throw new HoldfastError('command-failed', {
      message: `fis:${permission}: the answer is not as AWS documents it: ${z.prettifyError(answer.error).replaceAll('\n', '; ')}`,
      hint: 'check `endpoint`: is it FIS that answers there?',
    })
  }
  const path = (kind: string, id: string) => `/${kind}/${encodeURIComponent(id)}`
  const one = z.object({ experiment })
  return {
    async template(id) {
      const answer = z.object({ experimentTemplate: template })
      const found = orMissing(call('GetExperimentTemplate', answer, 'GET', path('experimentTemplates', id)))
      return (await found)?.experimentTemplate
    },
    async start(id) {
      const body = { clientToken: context.id, experimentTemplateId: id, tags: { [faultTag]: context.id } }
      return (await call('StartExperiment', one, 'POST', '/experiments', body)).experiment
    },
    async find(id) {
      const page = z.object({ experiments: z.array(experiment), nextToken: z.string().optional() })
      for (let more = ''; ;) {
        const { experiments, nextToken } = await call(
          'ListExperiments',
          page,
          'GET',
          `/experiments?experimentTemplateId=${encodeURIComponent(id)}${more}`,
        )
        const found = experiments.find(({ tags }) => tags[faultTag] === context.id)
        if (found !== undefined || nextToken === undefined) return found
        more = `&nextToken=${encodeURIComponent(nextToken)}`
      }
    },
    read: async (id) => (await orMissing(call('GetExperiment', one, 'GET', path('experiments', id))))?.experiment,
    async stop(id) {
      await call('StopExperiment', one, 'DELETE', path('experiments', id))
    },
  }
}
