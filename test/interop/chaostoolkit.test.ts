import { readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { delimiter, join } from 'node:path'
import { expect, test } from 'vitest'
import type { Json } from '../../src/kernel/index.ts'
import { chaos, comparable } from '../support/chaostoolkit-run.ts'
import { holdfast, temporaryFolder } from '../support/holdfast.ts'
import { serving } from '../support/http.ts'
import { describeWith } from '../support/peers.ts'

interface Case {
  readonly title: string
  readonly experiment: (world: { readonly url: string; readonly folder: string }) => Readonly<Record<string, unknown>>
  /** Options that both programs have; $FOLDER is that of the experiment. */
  readonly options?: readonly string[]
  /** Beside the experiment. */
  readonly files?: Readonly<Record<string, string>>
}

const sh = (script: string, more = {}) => ({ type: 'process', path: 'sh', arguments: ['-c', script], ...more })
const probe = (name: string, provider: object, tolerance?: unknown, more = {}) => ({
  type: 'probe',
  name,
  provider,
  ...(tolerance === undefined ? {} : { tolerance }),
  ...more,
})
const action = (name: string, provider: object, more = {}) => ({ type: 'action', name, provider, ...more })
const steady = (...probes: readonly object[]) => ({ 'steady-state-hypothesis': { title: 'it is well', probes } })
const well = steady(probe('well', sh('true'), 0))
const hello = action('hello', sh('echo hello'))
const undo = { rollbacks: [action('undo one', sh('echo one')), action('undo two', sh('echo two; exit 3'))] }
/** Fails from the second time on. */
const once2 = (folder: string) => probe('once', sh(`test ! -e ${folder}/seen && touch ${folder}/seen`), 0)
const unmet = (title: string, provider: object, tolerated: unknown): Case => ({
  title: `tolerance not met: ${title}`,
  experiment: () => ({ ...steady(probe('p', provider, tolerated)), method: [] }),
})
const printing = (text: string) => sh(`printf '%s' '${text}'`)
const pods = printing('{"pods":[{"n":"a","up":true},{"n":"b","up":false}]}')

const cases: readonly Case[] = [
  { title: 'all is well', experiment: () => ({ ...well, method: [hello], ...undo }) },
  {
    title: 'unmet before: nothing is done, and rolled back',
    experiment: () => ({ ...steady(probe('ill', sh('exit 4'), 0)), method: [hello], ...undo }),
  },
  {
    title: 'a probe that fails before',
    experiment: () => ({ ...steady(probe('slow', sh('sleep 5', { timeout: 0.2 }), 0)), method: [hello], ...undo }),
  },
  { title: 'unmet after', experiment: ({ folder }) => ({ ...steady(once2(folder)), method: [hello], ...undo }) },
  {
    title: 'an action that fails, and one that ends badly',
    experiment: () => ({
      ...well,
      method: [action('slow', sh('sleep 5', { timeout: 0.2 })), action('bad', sh('exit 3'))],
      ...undo,
    }),
  },
  { title: 'no hypothesis', experiment: () => ({ method: [hello, probe('look', sh('exit 2'))] }) },
  {
    title: 'rollbacks: never',
    experiment: () => ({ ...well, method: [hello], ...undo }),
    options: ['--rollback-strategy', 'never'],
  },
  {
    title: 'rollbacks: always',
    experiment: () => ({ ...steady(probe('slow', sh('sleep 5', { timeout: 0.2 }), 0)), method: [], ...undo }),
    options: ['--rollback-strategy', 'always'],
  },
  {
    title: 'rollbacks: deviated, and it has not',
    experiment: () => ({ ...well, method: [hello], ...undo }),
    options: ['--rollback-strategy', 'deviated'],
  },
  {
    title: 'rollbacks: deviated, and it has',
    experiment: ({ folder }) => ({ ...steady(once2(folder)), method: [hello], ...undo }),
    options: ['--rollback-strategy', 'deviated'],
  },
  {
    title: 'rollbacks by the experiment itself',
    experiment: () => ({ ...well, method: [hello], ...undo, runtime: { rollbacks: { strategy: 'never' } } }),
  },
  ...(['before-method-only', 'after-method-only'] as const).map((strategy): Case => ({
    title: `hypothesis: ${strategy}`,
    experiment: ({ folder }) => ({ ...steady(once2(folder)), method: [hello] }),
    options: ['--hypothesis-strategy', strategy],
  })),
  {
    title: 'hypothesis: while it runs',
    experiment: ({ folder }) => ({ ...steady(once2(folder)), method: [action('wait', sh('sleep 0.5'))] }),
    options: ['--hypothesis-strategy', 'during-method-only', '--hypothesis-frequency', '60'],
  },
  {
    title: 'hypothesis: all the time',
    experiment: () => ({ ...well, method: [action('wait', sh('sleep 0.5'))] }),
    options: ['--hypothesis-strategy', 'continuously', '--hypothesis-frequency', '60'],
  },
  { title: 'dry: actions', experiment: () => ({ ...well, method: [hello], ...undo }), options: ['--dry', 'actions'] },
  {
    title: 'dry: probes',
    experiment: () => ({ ...steady(probe('ill', sh('exit 4'), 0)), method: [hello] }),
    options: ['--dry', 'probes'],
  },
  { title: 'dry: activities', experiment: () => ({ ...well, method: [hello], ...undo }), options: ['--dry', 'activities'] },
  { title: 'dry: one activity', experiment: () => ({ ...well, method: [{ ...hello, dry: 'activities' }] }) },
  {
    title: 'in the background, with pauses',
    experiment: () => ({
      method: [
        action('beside', sh('sleep 0.4; echo late'), { background: true }),
        action('meanwhile', sh('echo early'), { pauses: { before: 0.1, after: '${rest}' } }),
      ],
      configuration: { rest: 0.1 },
    }),
  },
  { title: 'references', experiment: () => ({ ...well, method: [hello, { ref: 'well' }, { ref: 'hello' }] }) },
  {
    title: 'the control repeat',
    experiment: () => ({
      method: [
        action('again', sh('echo again'), {
          controls: [
            { name: 'r', provider: { type: 'python', module: 'chaosaddons.controls.repeat', arguments: { repeat_count: 3 } } },
          ],
        }),
      ],
    }),
  },
  {
    title: 'a safeguard that is not met',
    experiment: () => ({
      method: [action('long', sh('sleep 3')), hello],
      ...undo,
      controls: [
        {
          name: 's',
          provider: {
            type: 'python',
            module: 'chaosaddons.controls.safeguards',
            arguments: { probes: [probe('no', sh('exit 1'), 0, { frequency: 1 })] },
          },
        },
      ],
    }),
  },
  {
    title: 'variables: of the environment, by default, nested, unknown, whole and within',
    experiment: () => ({
      title: 'for ${who}',
      configuration: {
        who: { type: 'env', key: 'CTK_WHO' },
        port: { type: 'env', key: 'CTK_NONE', default: '8080', env_var_type: 'int' },
        found: probe('find', sh('echo 7; echo')),
        lost: probe('lose', sh('exit 1')),
      },
      secrets: { scope: { token: { type: 'env', key: 'CTK_TOKEN' } } },
      method: [
        action('say', {
          type: 'process',
          path: 'echo',
          arguments: ['${who}', '$who:${port}', '$$x', '${nobody}', '${token}', '${found}', '${lost}', true, null, '', 3],
        }),
        action('map', { type: 'process', path: 'echo', arguments: { '--port': '${port}', '-v': '' } }),
        action('shell', { type: 'process', path: 'echo', arguments: '"${who}" && echo more' }),
      ],
    }),
    options: ['--var', 'who=bob'],
  },
  {
    title: 'variables from files: the later counts, and --var more; what the experiment does not name is left out',
    experiment: () => ({
      configuration: { host: 'a', port: 1, who: 'nobody', from: { type: 'env', key: 'CTK_NONE', default: 'x' } },
      secrets: { scope: { token: { type: 'env', key: 'CTK_TOKEN' }, more: { type: 'env', key: 'CTK_TOKEN' } } },
      method: [
        action('say', {
          type: 'process',
          path: 'echo',
          arguments: ['${host}', '${port}', '${who}', '${from}', '${token}', '${more}', '${stranger}'],
        }),
        action('environment', sh('echo "$CTK_FROM_FILE $CTK_WHO"')),
      ],
    }),
    files: {
      'first.json':
        '{"configuration": {"host": "b", "port": 2, "stranger": "s"}, "secrets": {"scope": {"token": "t"}, "other": {"more": "m"}}}',
      'second.yaml': 'configuration:\n  port: 0x10\n  from: { type: env, key: CTK_FROM_FILE }\n',
      'empty.yml': '',
      '.env': '# the environment\n\nCTK_FROM_FILE=it = "here"\nCTK_WHO=eve\n',
    },
    options: [
      ...['first.json', 'second.yaml', 'empty.yml', '.env'].flatMap((name) => ['--var-file', `$FOLDER/${name}`]),
      '--var',
      'who=bob',
    ],
  },
  {
    title: 'requests',
    experiment: ({ url }) => ({
      method: [
        probe('get', { type: 'http', url: `${url}echo?a=1`, arguments: { b: 'x y', c: [1, 2] } }),
        action('form', { type: 'http', url: `${url}echo`, method: 'POST', arguments: { a: 'ö&', n: 1 } }),
        action('json', {
          type: 'http',
          url: `${url}echo`,
          method: 'PUT',
          headers: { 'Content-Type': 'application/json' },
          arguments: { a: [1] },
        }),
        probe('json body', { type: 'http', url: `${url}json` }),
        probe('json by another name', { type: 'http', url: `${url}json-charset` }),
        probe('not found', { type: 'http', url: `${url}404` }),
        probe('redirected', { type: 'http', url: `${url}redirect` }),
        probe('too slow', { type: 'http', url: `${url}never`, timeout: 0.3 }),
      ],
    }),
  },
  {
    title: 'functions of Python',
    experiment: () => ({
      ...steady(probe('exists', { type: 'python', module: 'os.path', func: 'exists', arguments: { path: '/' } }, true)),
      configuration: { a: 'x' },
      method: [
        probe('join', { type: 'python', module: 'os.path', func: 'join', arguments: { a: '${a}' } }),
        action('raises', { type: 'python', module: 'json', func: 'loads', arguments: { s: '{' } }),
      ],
    }),
  },
  {
    title: 'tolerances that are met',
    experiment: () => ({
      ...steady(
        probe('the status', sh('exit 3'), 3),
        probe('one of', sh('exit 7'), [3, 7]),
        probe('a text', { type: 'python', module: 'os.path', func: 'basename', arguments: { p: '/a/b' } }, 'b'),
        probe('bounds', { type: 'python', module: 'os.path', func: 'getsize', arguments: { filename: '/dev/null' } }, [0, 1]),
        probe('regex, unanchored', printing('all 12 are up'), { type: 'regex', pattern: '(?P<n>[0-9]+) are', target: 'stdout' }),
        probe('regex, before the last line ends', sh('echo 42'), { type: 'regex', pattern: '^42$', target: 'stdout' }),
        probe('range of a text', sh('echo " 42 "'), { type: 'range', range: [40, 42], target: 'stdout' }),
        probe('path', pods, { type: 'jsonpath', path: '$.pods.*[?(@.up=true)].n', target: 'stdout' }),
        probe('path, expected', pods, { type: 'jsonpath', path: '$.pods[*].n', target: 'stdout', expect: ['a', 'b'] }),
        probe('path, expected one', printing('{"n":1}'), { type: 'jsonpath', path: '$.n', target: 'stdout', expect: true }),
        probe('any output of a process', sh('exit 3'), {
          type: 'probe',
          name: 'judge',
          provider: { type: 'process', path: 'true', arguments: {} },
        }),
      ),
      method: [],
    }),
  },
  unmet('true is not a status', sh('exit 1'), true),
  unmet('a list of two is no bounds of a status', sh('exit 5'), [3, 7]),
  unmet('regex', printing('none'), { type: 'regex', pattern: '^[0-9]+$', target: 'stdout' }),
  unmet('range of no number', printing('many'), { type: 'range', range: [40, 42], target: 'stdout' }),
  unmet('path that filters a list itself', pods, { type: 'jsonpath', path: '$.pods[?(@.up=true)].n', target: 'stdout' }),
  unmet('path, count', pods, { type: 'jsonpath', path: '$.pods[*]', target: 'stdout', count: 3 }),
]

describeWith('chaostoolkit', 'the same experiment', (environment) => {
  test.each(cases)('says the same in Chaos Toolkit: $title', async ({ experiment, options = [], files = {} }) => {
    await using server = await serving(answer)
    const url = new URL('/', server.url).href
    const run = async (program: (args: readonly string[], env: NodeJS.ProcessEnv) => Promise<number>) => {
      await using folder = await temporaryFolder('ctk')
      const file = join(folder.path, 'experiment.json')
      const journal = join(folder.path, 'journal.json')
      const text = { title: 'a title', description: 'a description', ...experiment({ url, folder: '$FOLDER' }) }
      await writeFile(file, JSON.stringify(text).replaceAll('$FOLDER', folder.path))
      for (const [name, content] of Object.entries(files)) await writeFile(join(folder.path, name), content)
      const env = {
        ...process.env,
        PATH: `${join(environment, 'bin')}${delimiter}${process.env.PATH ?? ''}`,
        CTK_WHO: 'ann',
        CTK_TOKEN: 't0k3n',
      }
      const exitCode = await program([file, ...options.map((option) => option.replace('$FOLDER', folder.path)), journal], env)
      const read = JSON.parse((await readFile(journal, 'utf8')).replaceAll(folder.path, '$FOLDER')) as Json
      return { exitCode, journal: comparable(read) }
    }
    const theirs = await run((args, env) => chaos(environment, args, env))
    const ours = await run(async (args, env) => {
      const journal = args.at(-1) ?? ''
      const { exitCode } = await holdfast(['chaos', 'run', ...args.slice(0, -1), '--journal', journal, '--ctk-strict'], { env })
      return exitCode
    })
    expect(ours).toEqual(theirs)
  })
})

function answer(request: IncomingMessage, response: ServerResponse): void {
  const { pathname, search } = new URL(request.url ?? '', 'http://x')
  response.sendDate = false
  const send = (status: number, type: string, body: string, more = {}) =>
    response
      .writeHead(status, { Connection: 'close', 'Content-Type': type, 'Content-Length': Buffer.byteLength(body), ...more })
      .end(body)
  if (pathname === '/never') return
  if (pathname === '/json') return void send(200, 'application/json', '{"up": 2, "x": [true, null]}')
  if (pathname === '/json-charset') return void send(200, 'application/json; charset=utf-8', '{"up": 2}')
  if (pathname === '/redirect') return void send(302, 'text/plain', '', { Location: '/json' })
  if (pathname !== '/echo') return void send(404, 'text/plain', 'not here')
  void (async () => {
    let body = ''
    for await (const piece of request as AsyncIterable<Buffer>) body += piece.toString()
    if (request.headers['content-type'] === 'application/json') body = JSON.stringify(JSON.parse(body))
    send(200, 'text/plain', `${request.method} ${search} ${request.headers['content-type'] ?? '-'} ${body}`)
  })()
}
