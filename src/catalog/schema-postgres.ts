import { z } from 'zod'
import { absolutePath, entryName, portNumber, secretRef, siteName, text } from './fields.ts'

/** A connection URL, or where to find it. */
const connectionUrl = z.union([text, secretRef])

/** What is known of every server of a service, its first primary and its standbys. */
const server = {
  replicationUrl: connectionUrl
    .meta({
      expected: 'a reference to a connection URL, or a URL without a password in it',
      description: 'How the other servers reach it to stream from it; its role needs REPLICATION. Default: its url.',
      examples: [{ env: 'REPLICATION_URL' }],
    })
    .optional(),
  host: text
    .describe(
      'The name of the machine (hostname) that it runs on: its data directory is only touched there. Default: this machine, when its URL leads to a socket or the loopback; else another.',
    )
    .optional(),
  dataDirectory: absolutePath.describe('Where the server keeps its data on its own machine.').optional(),
  binDirectory: absolutePath
    .describe('Where postgres and pg_ctl of the right version are, when they are not found by themselves.')
    .optional(),
  runAs: text.describe('The system user that the server runs as when a recovery starts it. PostgreSQL refuses root.').optional(),
}

const standby = z
  .strictObject({
    url: connectionUrl.meta({
      expected: 'a reference to a connection URL, or a URL without a password in it',
      description:
        'How to connect to it, as a superuser: as a secret reference, or in plain text when there is no password in it.',
      examples: [{ env: 'STANDBY_URL' }],
    }),
    site: siteName.describe('The failure domain that it runs in.'),
    ...server,
    settings: z
      .record(z.string().regex(/^[a-z_][a-z0-9_.]*$/i), z.union([z.string(), z.number(), z.boolean()]))
      .describe('Settings on its command line when a recovery starts it, such as config_file.')
      .default({}),
  })
  .describe('A server that streams from the primary, and may take its place.')

/** A PostgreSQL server, and those that follow it. */
export const postgres = z
  .strictObject({
    url: z.union([text, secretRef]).meta({
      expected: 'a reference to a connection URL, or a URL without a password in it',
      description:
        'The connection URL, as a secret reference; or in plain text when there is no password in it (socket, peer or .pgpass). The role needs REPLICATION.',
      examples: [{ env: 'DATABASE_URL' }],
    }),
    wal: z
      .enum(['stream', 'synchronous', 'none'])
      .describe(
        'stream: `holdfast postgres receive-wal` stores the write-ahead log as it is written. synchronous: commits also wait until it is stored. none: base backups only, so that everything since the last one is lost.',
      )
      .default('none'),
    slot: z
      .string()
      .regex(/^[a-z0-9_]{1,63}$/)
      .meta({
        expected: 'lower-case letters, digits and underscores (63 at most)',
        description: 'The replication slot. Default: named after the service.',
      })
      .optional(),
    ...server,
    port: portNumber.describe('Of the server that a recovery starts.').optional(),
    socketDirectory: absolutePath.describe('Where the server that a recovery starts puts its socket.').optional(),
    settings: z
      .record(z.string().regex(/^[a-z_][a-z0-9_.]*$/i), z.union([z.string(), z.number(), z.boolean()]))
      .describe('Settings of the recovered server, as in postgresql.conf.')
      .default({}),
    standbys: z
      .record(
        entryName
          .refine((name) => name !== 'primary')
          .meta({ expected: "a name of letters, digits, dots, hyphens and underscores; 'primary' is the server of `url`" }),
        standby,
      )
      .meta({
        description: 'Servers that stream from it, by name. Steps name them, or `primary`, the server of `url`, whichever leads.',
      })
      .default({}),
  })
  .describe('A PostgreSQL server with all its databases.')
