import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { stringify } from 'yaml'
import { systemClock } from '../../src/kernel/index.ts'
import {
  createCatalogRepository,
  detect,
  loadRunCatalog,
  openReportReader,
  watchedService,
  type Detection,
} from '../../src/service/index.ts'
import { temporaryFolder } from './holdfast.ts'
import { until } from './until.ts'

const program = new URL('../../bin/holdfast.js', import.meta.url).pathname

/** A real HTTP service whose health is as told. Killed, it refuses connections; started again, it is at the same port. */
export async function healthService() {
  let status = 200
  const make = () =>
    createServer((_, response) => {
      response.writeHead(status).end()
    })
  let server = make().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const kill = async () => {
    if (!server.listening) return
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return {
    port,
    answer: (next: number) => (status = next),
    kill,
    async start() {
      server = make().listen(port, '127.0.0.1')
      await once(server, 'listening')
    },
    [Symbol.asyncDispose]: kill,
  }
}

export interface ObserverProcess extends AsyncDisposable {
  readonly pid: number
  readonly said: () => string
  signal(name: NodeJS.Signals): void
  ended(): Promise<number>
}

/** A real `holdfast` process that runs until it is stopped; killed when disposed. */
export function holdfastProcess(args: readonly string[], env: NodeJS.ProcessEnv = {}): ObserverProcess {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, NO_COLOR: '1', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].setEncoding('utf8').on('data', (text: string) => (said += text))
  const exit = new Promise<number>((resolve) => child.once('close', (code) => resolve(code ?? -1)))
  return {
    pid: child.pid ?? -1,
    said: () => said,
    signal: (name) => child.kill(name),
    ended: () => exit,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL')
      await exit
    },
  }
}

export interface DetectionCatalog {
  readonly folder: string
  readonly catalog: string
  /** The same catalog over the same repository, on another machine: in a folder of its own, with runs and incidents of its own. */
  elsewhere(): Promise<{ readonly folder: string; readonly catalog: string; runs(): Promise<string[]> }>
  /** Judges in this process, from the reports that the observers' processes have left. */
  look(): Promise<Detection>
  /** Looks until the verdict is this. */
  whenIt(is: Detection['verdict']): Promise<Detection>
  runs(): Promise<string[]>
}

export interface DetectionParts {
  readonly probes: readonly object[]
  readonly observers: Readonly<Record<'north' | 'south' | 'east', { readonly report?: object; readonly reference?: object }>>
  readonly detection?: object
  /** Of the plan, before its last check, by the folder of the catalog; the last of them is called `act`. */
  readonly steps?: (folder: string) => readonly object[]
  /** More of the service, by the folder of the catalog. */
  readonly service?: (folder: string) => object
}

/** A catalog of a service `web` that three observers at three sites watch, with the repository that they report through. */
export async function detectionCatalog({
  probes,
  observers,
  detection,
  steps,
  service,
}: DetectionParts): Promise<DetectionCatalog & AsyncDisposable> {
  const folder = await temporaryFolder('detection')
  const catalog = join(folder.path, 'holdfast.yaml')
  await writeFile(join(folder.path, 'password'), 'correct horse\n')
  const check = { id: 'verify', do: { shell: { run: 'true', effect: 'read-only' } }, after: steps === undefined ? [] : ['act'] }
  await writeFile(
    catalog,
    stringify({
      version: 1,
      name: 'detection',
      sites: { here: {}, north: {}, south: {}, east: {} },
      repositories: { far: { url: './repository', site: 'north', password: { file: './password' } } },
      services: {
        web: {
          owner: 'Tests',
          site: 'here',
          objectives: { rpo: '1h', rto: '1h' },
          recovery: 'back',
          backup: { to: 'far' },
          ...service?.(folder.path),
        },
      },
      observers: Object.fromEntries(
        Object.entries(observers).map(([name, { report = { repository: 'far' }, reference }]) => [
          name,
          { site: name, report, ...(reference === undefined ? {} : { reference }) },
        ]),
      ),
      plans: {
        back: {
          recovers: ['web'],
          detection: {
            symptoms: ['it does not answer'],
            probes,
            observers: Object.keys(observers),
            quorum: '2 of 3',
            every: '300ms',
            for: '1500ms',
            ...detection,
          },
          steps: [...(steps?.(folder.path) ?? []), check],
        },
      },
    }),
  )
  const signal = new AbortController().signal
  const loaded = await loadRunCatalog(catalog)
  await (await createCatalogRepository(loaded, 'far'))[Symbol.asyncDispose]()
  const reader = openReportReader(loaded, systemClock)
  const look = () => detect(loaded, watchedService(loaded, 'web'), reader, signal)
  return {
    folder: folder.path,
    catalog,
    look,
    whenIt: (is) => until(`until it is ${is}`, look, ({ verdict }) => verdict === is),
    runs: () => runsIn(folder.path),
    async elsewhere() {
      const other = join(folder.path, 'elsewhere')
      await mkdir(other)
      const text = await readFile(catalog, 'utf8')
      await writeFile(join(other, 'holdfast.yaml'), text.replaceAll(' ./', ` ${folder.path}/`))
      return { folder: other, catalog: join(other, 'holdfast.yaml'), runs: () => runsIn(other) }
    },
    async [Symbol.asyncDispose]() {
      await reader[Symbol.asyncDispose]()
      await folder[Symbol.asyncDispose]()
    },
  }
}

async function runsIn(folder: string): Promise<string[]> {
  const names: string[] = await readdir(join(folder, '.holdfast', 'runs')).catch(() => [])
  return names.toSorted((a, b) => a.localeCompare(b))
}
