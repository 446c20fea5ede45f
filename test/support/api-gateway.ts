import { DescribeDBInstancesCommand } from '@aws-sdk/client-rds'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { createCatalogRepository, loadRunCatalog } from '../../src/service/index.ts'
import { promotesReplicas, proxyTo, type AwsProxy } from './aws-proxy.ts'
import { addInstances, addReplica, addZone, awsClients, instanceStates, plainRecord, recordAt, reportLag } from './aws-world.ts'
import { holdfast, temporaryFolder, type HoldfastResult } from './holdfast.ts'
import { serving } from './http.ts'

const example = new URL('../../examples/api-gateway/holdfast.yaml', import.meta.url)
export const before = plainRecord('10.0.1.10')
const standby = '10.0.2.100'

/** The example's service, its region lost, in a moto of which others have their own part. */
export interface ApiGateway extends AsyncDisposable {
  readonly proxy: AwsProxy
  readonly catalog: string
  /** Makes the service answer 503 although all is well with AWS. */
  readonly broken: { ready: boolean; health: boolean }
  /** What /health answers to whoever asks. */
  health(): Promise<number>
  /** As AWS has it. */
  state(): Promise<{
    instances: (string | undefined)[]
    address: string | undefined
    ttl: number | undefined
    promoted: boolean
  }>
  run(args: readonly string[], options?: Parameters<typeof holdfast>[1]): Promise<HoldfastResult>
  /** Runs a command and approves the step `decide` when it asks. */
  runAndApprove(args: readonly string[], options?: Parameters<typeof holdfast>[1]): Promise<HoldfastResult>
  /** Waits until the newest run's journal says this. */
  untilJournalSays(text: string): Promise<void>
}

let worlds = 0

export async function lostApiGateway(motoUrl: string): Promise<ApiGateway> {
  const aws = awsClients(motoUrl)
  const instances = await addInstances(aws, 2)
  const replica = `api-db-replica-${++worlds}`
  await addReplica(motoUrl, replica)
  await reportLag(aws, replica, 3, 60_000)
  const zone = await addZone(aws, [before])
  const proxy = await proxyTo(motoUrl)
  proxy.rules = promotesReplicas()
  // Apart from the proxy's count of calls.
  const seen = await proxyTo(motoUrl)
  seen.rules = proxy.rules
  const broken = { ready: false, health: false }

  const state: ApiGateway['state'] = async () => {
    const record = await recordAt(aws, zone)
    const { DBInstances = [] } = await awsClients(seen.url).rds.send(
      new DescribeDBInstancesCommand({ DBInstanceIdentifier: replica }),
    )
    return {
      instances: await instanceStates(aws, instances),
      address: record?.ResourceRecords?.[0]?.Value,
      ttl: record?.TTL,
      promoted: DBInstances[0]?.ReadReplicaSourceDBInstanceIdentifier === undefined,
    }
  }
  // The service as its users reach it: through the name, on instances that run, with a database that takes writes.
  const server = await serving((request, response) => {
    void state().then(({ instances: states, address, promoted }) => {
      const isReady = address === standby && states.every((one) => one === 'running') && !broken.ready
      const isWell = request.url === '/ready' ? isReady : isReady && promoted && !broken.health
      response.writeHead(isWell ? 200 : 503).end()
    })
  })
  const folder = await temporaryFolder('api-gateway')
  const catalog = join(folder.path, 'holdfast.yaml')
  await writeFile(
    catalog,
    await exampleWith({
      folder: folder.path,
      service: new URL(server.url).origin,
      instances,
      replica,
      zone,
    }),
  )
  const env = {
    AWS_ENDPOINT_URL: proxy.url,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_CONFIG_FILE: '/dev/null',
    AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
    AWS_EC2_METADATA_DISABLED: 'true',
    HOLDFAST_PASSWORD: 'correct horse',
  }
  process.env.HOLDFAST_PASSWORD = env.HOLDFAST_PASSWORD
  await (await createCatalogRepository(await loadRunCatalog(catalog), 'record'))[Symbol.asyncDispose]()

  const run: ApiGateway['run'] = (args, options) =>
    holdfast(['--catalog', catalog, ...args], { ...options, env: { ...env, ...options?.env } })
  const untilJournalSays: ApiGateway['untilJournalSays'] = async (text) => {
    while (!(await newestJournal(folder.path)).includes(text)) await delay(50)
  }
  return {
    proxy,
    catalog,
    broken,
    state,
    run,
    untilJournalSays,
    async health() {
      return (await fetch(new URL('/health', server.url))).status
    },
    async runAndApprove(args, options) {
      const running = run(args, options)
      const ended = running.then(({ stderr, stdout }) => Promise.reject(new Error(`it did not ask: ${stderr}${stdout}`)))
      await Promise.race([untilJournalSays('"approve:decide"'), ended])
      void ended.catch(() => {})
      const approved = await run(['run', 'approve', 'latest', 'decide'])
      if (approved.exitCode !== 0) throw new Error(approved.stderr)
      return await running
    },
    async [Symbol.asyncDispose]() {
      for (const part of [server, seen, proxy, folder]) await part[Symbol.asyncDispose]()
    },
  }
}

interface Place {
  readonly folder: string
  readonly service: string
  readonly instances: readonly string[]
  readonly replica: string
  readonly zone: string
}

/** The example as it stands, with this place's names in it, and pauses that a test can wait for. */
async function exampleWith({ folder, service, instances, replica, zone }: Place): Promise<string> {
  const names: readonly (readonly [string, string])[] = [
    ['/var/lib/holdfast/record', join(folder, 'record')],
    ['https://api.company.com/', `${service}/`],
    ['i-0d2000000000000a1', instances[0] ?? ''],
    ['i-0d2000000000000b2', instances[1] ?? ''],
    ['api-db-replica-west', replica],
    ['Z0123456789COMPANY', zone],
    ['every: 5s, timeout: 1m', 'every: 200ms, timeout: 2s'],
    ['attempts: 20, backoff: 10s', 'attempts: 3, backoff: 200ms'],
  ]
  return names.reduce(
    (text, [name, here]) => {
      if (!text.includes(name)) throw new Error(`the example says ${name} no longer`)
      return text.replaceAll(name, here)
    },
    await readFile(example, 'utf8'),
  )
}

async function newestJournal(folder: string): Promise<string> {
  const runs = join(folder, '.holdfast', 'runs')
  const [newest] = (await readdir(runs).catch(() => [])).toSorted((a, b) => (a < b ? 1 : -1))
  return newest === undefined ? '' : await readFile(join(runs, newest, 'journal.ndjson'), 'utf8').catch(() => '')
}
