import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import type { TraceContext } from '../../src/faults/index.ts'
import { openFis } from '../../src/faults/aws/fis.ts'
import { AwsSession, openRestService } from '../../src/aws/index.ts'
import { anyCredentials, leapingClock } from '../support/aws-actions.ts'
import { proxyTo } from '../support/aws-proxy.ts'
import { bound, chaosFolder, guardIn, never } from '../support/chaos.ts'
import { expectNothingLeft } from '../support/fault-crash.ts'
import { describeWithMoto } from '../support/describe-with-moto.ts'
import { undoByHand } from '../support/undo-by-hand.ts'

const region = 'us-west-2'

interface Experiment {
  readonly id: string
  readonly state: { readonly status: string }
  readonly tags: Readonly<Record<string, string>>
}

/** moto keeps the experiments of FIS as AWS does, state by state, and does nothing to anything. */
describeWithMoto('experiments of FIS, against moto', (moto, environment) => {
  beforeAll(async () => {
    await moto.slowDown('fis::experiment', 5)
  })

  /** As the tests call it themselves. */
  async function ask<T>(method: 'GET' | 'POST', path: string, body?: object): Promise<T> {
    const session = new AwsSession({ region, endpoint: moto.url }, {} as TraceContext, never)
    return (await openRestService(session, 'fis').send(method, path, body)({ abortSignal: never })) as T
  }
  async function template(description: string, more: object = {}): Promise<string> {
    const stop = { actionId: 'aws:ec2:stop-instances', targets: { Instances: 'shop' } }
    const { experimentTemplate } = await ask<{ experimentTemplate: { id: string } }>('POST', '/experimentTemplates', {
      clientToken: description,
      description,
      roleArn: 'arn:aws:iam::123456789012:role/fis',
      stopConditions: [{ source: 'none' }],
      targets: { shop: { resourceType: 'aws:ec2:instance', resourceTags: { service: 'shop' }, selectionMode: 'ALL' } },
      actions: { stop, wait: { actionId: 'aws:fis:wait', parameters: { duration: 'PT5M' } } },
      ...more,
    })
    return experimentTemplate.id
  }
  async function experiments(of: string): Promise<Experiment[]> {
    return (await ask<{ experiments: Experiment[] }>('GET', `/experiments?experimentTemplateId=${of}`)).experiments
  }
  const states = async (of: string) => (await experiments(of)).map(({ state }) => state.status)
  const fis = (id: string, endpoint = moto.url) =>
    bound('aws.fis', { region, endpoint, credentials: anyCredentials, template: id })

  test('an experiment is started from its template, tagged, and stopped at the end', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path, { clock: leapingClock().clock })
    const id = await template('ends in order')
    const fault = await guard.inject(fis(id), 60_000, never)
    expect(fault.targets).toEqual([`stop of ${id}: aws:ec2:stop-instances on shop`, `wait of ${id}: aws:fis:wait`])
    expect(await experiments(id)).toMatchObject([{ state: { status: 'running' }, tags: { 'holdfast:fault': fault.id } }])
    expect(await fault.look(never)).toEqual({ state: 'present' })
    await fault.end()
    expect(await states(id)).toEqual(['stopped'])
    expect(await fault.look(never)).toEqual({ state: 'absent' })
  })

  test('one whose actions are over before stays completed', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path, { clock: leapingClock().clock })
    const id = await template('ends by itself')
    const fault = await guard.inject(fis(id), 60_000, never)
    const [started] = await experiments(id)
    const over = { state: 'over', because: `all actions of the experiment ${started?.id} are done` }
    await expect.poll(() => fault.look(never)).toEqual(over)
    await fault.end()
    expect(await states(id)).toEqual(['completed'])
  })

  test('a start without an answer is found by its tag, and stopped', async () => {
    await using folder = await chaosFolder()
    await using proxy = await proxyTo(moto.url)
    await using guard = await guardIn(folder.path, { clock: leapingClock().clock })
    const id = await template('nobody hears of it')
    let hidden = 2
    proxy.rules = {
      after({ name }, told) {
        if (name === 'fis POST /experiments') return undefined
        // A list of a moment before.
        return name === 'fis GET /experiments' && hidden-- > 0 ? '{"experiments":[]}' : told
      },
    }
    await expect(guard.inject(fis(id, proxy.url), 60_000, never)).rejects.toMatchObject({ code: 'fault-failed' })
    expect(proxy.count('fis POST /experiments')).toBeGreaterThan(1)
    expect(await states(id)).toEqual(['stopped'])
  })

  test('an experiment that a read of a moment before does not show is looked for again, and stopped', async () => {
    await using folder = await chaosFolder()
    await using proxy = await proxyTo(moto.url)
    await using guard = await guardIn(folder.path, { clock: leapingClock().clock })
    const id = await template('shows late')
    const fault = await guard.inject(fis(id, proxy.url), 60_000, never)
    let hidden = 3
    const unknown = { status: 404, body: '{"__type":"ResourceNotFoundException","message":"no such experiment"}' }
    proxy.rules = { before: ({ name }) => (name.startsWith('fis GET /experiments/') && hidden-- > 0 ? unknown : undefined) }
    expect(await fault.look(never)).toMatchObject({ state: 'unknown' })
    await fault.end()
    expect(hidden).toBeLessThan(0)
    expect(await states(id)).toEqual(['stopped'])
  })

  test('a template that is not there, or was changed since it was looked at, starts nothing', async () => {
    await using folder = await chaosFolder()
    const id = await template('changes')
    await using guard = await guardIn(folder.path)
    await expect(guard.inject(fis('EXTnowhere'), 60_000, never)).rejects.toMatchObject({
      code: 'fault-refused',
      message: expect.stringContaining('there is no experiment template EXTnowhere in us-west-2') as string,
    })
    const looked = fis(id)
    const late: typeof looked = {
      ...looked,
      async inject(...args) {
        await ask('POST', `/tags/${encodeURIComponent(`arn:aws:fis:${region}:123456789012:experiment-template/${id}`)}`, {
          tags: { a: 'b' },
        })
        await looked.inject(...args)
      },
    }
    await expect(guard.inject(late, 60_000, never)).rejects.toMatchObject({
      code: 'fault-refused',
      message: `the template ${id} has been changed since it was looked at`,
    })
    expect(await states(id)).toEqual([])
  })

  test('the command for people stops it', async () => {
    await using folder = await chaosFolder()
    await using guard = await guardIn(folder.path, { clock: leapingClock().clock })
    const id = await template('by hand')
    const fault = await guard.inject(fis(id), 60_000, never)
    await undoByHand(folder.path, fault, join(environment, 'bin'))
    expect(await states(id)).not.toEqual(['running'])
    await fault.end()
    expect(await states(id)).toEqual(['stopped'])
  })

  test('an experiment that is killed leaves none that runs', { timeout: 600_000 }, async () => {
    // Each waits for seconds as it polls.
    await moto.slowDown('fis::experiment', 3)
    const id = await template('killed')
    const params = { region, endpoint: moto.url, credentials: anyCredentials, template: id }
    const at = ['injecting', 'did-inject', 'hold'] as const
    await expectNothingLeft(
      'aws.fis',
      params,
      async (after) => {
        expect(
          (await states(id)).filter((status) => status !== 'stopped'),
          after,
        ).toEqual([])
      },
      { at },
    )
    expect(await states(id)).toHaveLength(2)
  })

  test('its requests are signed for AWS itself, where no other endpoint is named', async () => {
    const asked: Request[] = []
    const real = globalThis.fetch
    globalThis.fetch = (request) => {
      asked.push(request as Request)
      return Promise.resolve(
        new Response('{"message":"no"}', { status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' } }),
      )
    }
    try {
      const context = { id: '0123456789abcdef' } as TraceContext
      const found = openFis({ region: 'cn-north-1' }, context, never).template('EXT1')
      await expect(found).rejects.toMatchObject({
        code: 'permission-denied',
        message: expect.stringContaining('fis:GetExperimentTemplate') as string,
      })
    } finally {
      globalThis.fetch = real
    }
    expect(asked.map(({ url }) => url)).toEqual(['https://fis.cn-north-1.amazonaws.com.cn/experimentTemplates/EXT1'])
    expect(asked[0]?.headers.get('authorization')).toMatch(/Credential=test\/\d{8}\/cn-north-1\/fis\/aws4_request/)
  })
})
