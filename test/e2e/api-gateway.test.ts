import { CreateBucketCommand, PutBucketVersioningCommand, PutObjectCommand } from '@aws-sdk/client-s3'
import { readFile } from 'node:fs/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { PlanOutcome } from '../../src/recovery/index.ts'
import { checkRunbook, loadRunCatalog } from '../../src/service/index.ts'
import { before, lostApiGateway } from '../support/api-gateway.ts'
import type { AwsCall } from '../support/aws-proxy.ts'
import { addDatabase, awsClients } from '../support/aws-world.ts'
import type { HoldfastResult } from '../support/holdfast.ts'
import { startMoto, type Moto } from '../support/moto.ts'
import { describeWith } from '../support/peers.ts'

let moto: Moto
const Bucket = 'company-dr-backups'
const untouched = {
  instances: ['stopped', 'stopped'],
  address: '10.0.1.10',
  ttl: 300,
  promoted: false,
}
const failedOver = {
  instances: ['running', 'running'],
  address: '10.0.2.100',
  ttl: 60,
  promoted: true,
}
const recover = ['--json', 'recover', 'api-gateway', '--yes']

const isChange = ({ name, body }: AwsCall) =>
  (name === 'ec2 StartInstances' && !body.includes('DryRun=true')) ||
  name === 'rds PromoteReadReplica' ||
  (name.startsWith('route53 POST ') && name.includes('/rrset'))

/** What was asked of AWS, besides looking. */
const changes = (calls: readonly AwsCall[]) => calls.filter(isChange).map(({ name }) => name.replace(/ POST .*/, ' change'))

function outcomeIn(result: HoldfastResult): PlanOutcome {
  expect(result.stdout, result.stderr).not.toBe('')
  return result.json<{ result: PlanOutcome }>().result
}

// Not moto: that a promoted replica is none any more. All else is: see test/support/aws-proxy.ts.
describeWith('moto', 'the example api-gateway, its region lost', (environment) => {
  beforeAll(async () => {
    moto = await startMoto(environment)
    await addDatabase(moto.url)
    const { s3 } = awsClients(moto.url)
    await s3.send(
      new CreateBucketCommand({
        Bucket,
        CreateBucketConfiguration: { LocationConstraint: 'us-west-2' },
      }),
    )
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }))
    await s3.send(new PutObjectCommand({ Bucket, Key: 'api-gateway/routes.json', Body: '{}' }))
  })
  afterAll(() => moto[Symbol.asyncDispose]())

  test('from failure to restored service, after a dry run that changes nothing', async () => {
    await using here = await lostApiGateway(moto.url)
    expect(await here.health()).toBe(503)
    const dry = await here.run(['recover', 'api-gateway', '--dry-run'])
    expect(dry.exitCode, dry.stdout + dry.stderr).toBe(0)
    expect(dry.stdout).toContain('aws rds promote-read-replica')
    expect(changes(here.proxy.calls)).toEqual([])
    expect(await here.state()).toEqual(untouched)

    const recovered = await here.runAndApprove([...recover, '--onset', new Date(Date.now() - 120_000).toISOString()])
    expect(recovered.exitCode, recovered.stderr).toBe(0)
    expect(await here.health()).toBe(200)
    expect(await here.state()).toEqual(failedOver)
    expect(changes(here.proxy.calls)).toEqual(['ec2 StartInstances', 'route53 change', 'rds PromoteReadReplica'])
    const { status, pointOfNoReturn, timing } = outcomeIn(recovered)
    expect({ status, pointOfNoReturn }).toEqual({
      status: 'succeeded',
      pointOfNoReturn: 'promote',
    })
    expect(timing.rtaMs).toBeGreaterThan(120_000)
    expect(timing.phases.replay).toBeGreaterThan(0)
    const ledger = await here.run(['--json', 'ledger', 'show'])
    expect(ledger.stdout).toContain('"plan":"api-gateway-failover"')
    expect(ledger.stdout).toContain('"verdict":"met"')
  })

  test('only a command that asks AWS loads its SDK', async () => {
    await using here = await lostApiGateway(moto.url)
    // Node tells of every module that is asked for by its name.
    const hook = `import{registerHooks}from'node:module';registerHooks({resolve(name,context,next){if(name.startsWith('@aws-sdk/client'))process.stderr.write('LOADED '+name+'\\n');return next(name,context)}})`
    const NODE_OPTIONS = `--import=data:text/javascript,${encodeURIComponent(hook)}`
    for (const args of [['--help'], ['runbook', 'api-gateway', '--no-evidence']]) {
      const { exitCode, stderr } = await here.run(args, { env: { NODE_OPTIONS } })
      expect({ exitCode, stderr: stderr.includes('LOADED') }, args.join(' ')).toEqual({ exitCode: 0, stderr: false })
    }
    const { stderr } = await here.run(['recover', 'api-gateway', '--dry-run'], { env: { NODE_OPTIONS } })
    expect(stderr).toContain('LOADED @aws-sdk/client-ec2')
  })

  test('killed right after AWS did what it was asked, it goes on each time without asking again', async () => {
    await using here = await lostApiGateway(moto.url)
    const { after } = here.proxy.rules
    let kill: () => void = () => {}
    const killedAt = (moment: (call: AwsCall) => boolean, args: readonly string[], approve = false) => {
      // The answer does not arrive, and nothing is left that could hear it.
      here.proxy.rules = {
        after(call, body) {
          const told = after?.(call, body) ?? body
          if (!moment(call)) return told
          kill()
          return undefined
        },
      }
      const options = {
        onStart: (child: { kill: (signal: NodeJS.Signals) => void }) => (kill = () => child.kill('SIGKILL')),
      }
      return approve ? here.runAndApprove(args, options) : here.run(args, options)
    }
    const resume = ['--json', 'run', 'resume', 'latest']
    expect((await killedAt((call) => isChange(call), recover, true)).exitCode).toBe(-1)
    expect(await here.state()).toEqual({ ...untouched, instances: failedOver.instances })
    expect((await killedAt((call) => isChange(call), resume)).exitCode).toBe(-1)
    expect(await here.state()).toEqual({ ...failedOver, promoted: false })
    // Between two steps: the name is switched, and the replica only looked at.
    expect((await killedAt(({ name }) => name === 'rds DescribeDBInstances', resume)).exitCode).toBe(-1)
    expect((await killedAt(({ name }) => name === 'rds PromoteReadReplica', resume)).exitCode).toBe(-1)
    expect(await here.state()).toEqual(failedOver)
    const resumed = await here.run(resume)
    expect(outcomeIn(resumed)).toMatchObject({ status: 'succeeded' })
    const steps = outcomeIn(resumed).steps.map(({ id, by }) => [id, by])
    expect(Object.fromEntries(steps)).toMatchObject({ start: 'probe', promote: 'probe' })
    expect(changes(here.proxy.calls).filter((name) => name !== 'route53 change')).toEqual([
      'ec2 StartInstances',
      'rds PromoteReadReplica',
    ])
    // The second time only to have a change to wait for: it writes what is there.
    expect(changes(here.proxy.calls).filter((name) => name === 'route53 change')).toHaveLength(2)
    expect(await here.health()).toBe(200)
  })

  test('what does not answer before the point of no return is taken back, all of it', async () => {
    await using here = await lostApiGateway(moto.url)
    here.broken.ready = true
    const failed = await here.runAndApprove(recover)
    expect(failed.exitCode).toBe(1)
    const { status, failure, steps } = outcomeIn(failed)
    expect({ status, step: failure?.step }).toEqual({ status: 'rolled-back', step: 'dns' })
    expect(steps.find(({ id }) => id === 'promote')?.state).toBe('not-run')
    expect(await here.state()).toEqual({ ...untouched, ttl: before.TTL })
  })

  test('what does not answer after it is put to a person, and nothing is taken back', async () => {
    await using here = await lostApiGateway(moto.url)
    here.broken.health = true
    const running = here.runAndApprove(recover)
    await here.untilJournalSays('"decide:verify:1"')
    expect(await here.state()).toEqual(failedOver)
    here.broken.health = false
    const decided = await here.run(['run', 'decide', 'latest', 'verify', 'not-done', '--why', 'the listener was down, and is up'])
    expect(decided.exitCode, decided.stderr).toBe(0)
    expect(outcomeIn(await running)).toMatchObject({ status: 'succeeded', left: [] })
    expect(await here.state()).toEqual(failedOver)
    expect(changes(here.proxy.calls)).toHaveLength(3)
  })
})

test('the runbook of the example is current', async () => {
  const at = (name: string) => new URL(`../../examples/api-gateway/${name}`, import.meta.url).pathname
  const catalog = await loadRunCatalog(at('holdfast.yaml'))
  expect(checkRunbook(catalog, { service: 'api-gateway' }, await readFile(at('RUNBOOK.md')))).toEqual([])
})
