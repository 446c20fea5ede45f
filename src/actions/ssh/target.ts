import { z } from 'zod'
import { durationText, text } from '../../catalog/index.ts'
import { parseDuration } from '../../kernel/index.ts'
import { outputReference, pathOrOutput } from '../param-types.ts'

/** What cannot be taken for an option or for part of another word. */
const plainWord = /^[A-Za-z0-9_[][A-Za-z0-9_.:%@[\]-]*$/
const word = (expected: string) => text.refine((value) => outputReference.test(value) || plainWord.test(value)).meta({ expected })
const path = pathOrOutput.refine((value) => !/["\n]/.test(value))

/** Which machine, and how this one knows it and is known to it. */
export const sshTarget = {
  host: word('a host name or address').describe('The machine: a name, an address, or a Host of the ssh configuration.'),
  user: word('a user name').describe('Who the command runs as there. Default: as ssh decides.').optional(),
  port: z.int().min(1).max(65_535).describe('Default: as ssh decides, usually 22.').optional(),
  identityFile: path
    .describe('The path of the private key, without a passphrase. Default: the agent’s and the configuration’s keys.')
    .optional(),
  knownHosts: path
    .describe(
      'The path of the only file that says which key the machine has. Default: the known_hosts of ssh. A machine that is not in it is refused.',
    )
    .optional(),
  connectTimeout: durationText.describe('For making the connection; at least a second.').default('10s'),
}

const shape = z.strictObject(sshTarget)

export type SshTarget = z.infer<typeof shape>

/** Asks nobody anything, believes no unknown machine, lends nothing, shares no connection, and notices when the other side is gone. */
const always = [
  'BatchMode=yes',
  'StrictHostKeyChecking=yes',
  'UpdateHostKeys=no',
  'ControlMaster=no',
  'ControlPath=none',
  'ClearAllForwardings=yes',
  'ForwardAgent=no',
  'ForwardX11=no',
  'PermitLocalCommand=no',
  'RequestTTY=no',
  'ServerAliveInterval=5',
  'ServerAliveCountMax=3',
  'LogLevel=ERROR',
]

/** The arguments of ssh up to the host; for people only what concerns them. */
export function sshArguments(target: SshTarget, readers: 'program' | 'people'): string[] {
  const options = [
    ...(readers === 'program' ? always : ['BatchMode=yes', 'StrictHostKeyChecking=yes']),
    ...(readers === 'program' ? [`ConnectTimeout=${Math.ceil(parseDuration(target.connectTimeout) / 1000)}`] : []),
    ...(target.knownHosts === undefined
      ? []
      : [`UserKnownHostsFile=${inConfiguration(target.knownHosts)}`, 'GlobalKnownHostsFile=/dev/null']),
    ...(target.identityFile === undefined ? [] : [`IdentityFile=${inConfiguration(target.identityFile)}`, 'IdentitiesOnly=yes']),
  ]
  return [
    ...options.flatMap((option) => ['-o', option]),
    ...(target.port === undefined ? [] : ['-p', String(target.port)]),
    ...(target.user === undefined ? [] : ['-l', target.user]),
    '--',
    target.host,
  ]
}

/** In ssh_config(5) a percent sign begins a token and a space ends a word. */
function inConfiguration(path: string): string {
  const escaped = path.replaceAll('%', '%%')
  return /\s/.test(escaped) ? `"${escaped}"` : escaped
}

export function targetText({ host, user, port }: SshTarget): string {
  return `${user === undefined ? '' : `${user}@`}${host}${port === undefined ? '' : `:${port}`}`
}
